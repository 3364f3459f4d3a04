"""A process of its own: read so many MB of Qualys's XML, cut to messages as a sender must; print memory and rate."""

import resource
import sys
import time
from collections.abc import Iterator

from agents.normalise import NORMALISERS
from agents.normalise._xml_cut import cut
from bench._records import detections
from streams.identity import Place


def main(megabytes: int) -> None:
    """Print peak memory in MB and MB/s."""
    part = detections(4_000_000)
    inner = part[part.index(b"<HOST>") : part.rindex(b"</HOST_LIST>")]
    head, tail = part[: part.index(b"<HOST>")], part[part.rindex(b"</HOST_LIST>") :]
    copies = megabytes * 1_000_000 // len(inner) + 1
    source, made = NORMALISERS["qualys"], 0
    began = time.process_time()
    for number, message in enumerate(cut(_chunks(head, inner, copies, tail))):
        made += len(source.read(message, Place(source.topic, 0, number, 1_772_442_000_000)))
    took = time.process_time() - began
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000
    print(round(memory, 1), round(copies * len(inner) / 1e6 / took, 1))


def _chunks(head: bytes, inner: bytes, copies: int, tail: bytes) -> Iterator[bytes]:
    yield head
    for _ in range(copies):
        for at in range(0, len(inner), 65_536):
            yield inner[at : at + 65_536]
    yield tail


if __name__ == "__main__":
    main(int(sys.argv[1]))
