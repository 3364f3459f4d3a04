"""What the demo sends: the files, and what the normalisers make of them."""

import gzip
import json
from dataclasses import dataclass, field
from pathlib import Path

from api.demo.stage import ROOT

CORPUS = ROOT.parent / "shared" / "corpus"
OWN = ROOT / "tests" / "data" / "demo"


@dataclass(slots=True)
class Load:
    """The files to send, and what the normalisers make of them."""

    files: dict[str, list[Path]]
    keys: dict[str, set[str]] = field(default_factory=lambda: {"resources": set(), "findings": set()})
    bad: int = 0


def choose(data: Path) -> Load:
    """Return the files to send, having normalised them here to know what must come out."""
    from agents.normalise import NORMALISERS
    from agents.normalise._base import Bad
    from api.messages import messages
    from streams.codec import encode
    from streams.identity import Place
    from streams.records import Finding

    load = Load({"aws": [OWN / "aws.jsonl"], "guardduty": [OWN / "guardduty.jsonl"]})
    if CORPUS.is_dir():
        load.files["aws"] += [_named(CORPUS / "configs" / "aws.jsonl", data / "aws.jsonl.gz")]
        load.files["guardduty"] += sorted((CORPUS / "findings" / "guardduty").iterdir())
    for source, files in load.files.items():
        read = NORMALISERS[source].read
        for file in files:
            for message in messages(str(file)):
                for made in read(message.value, Place("demo", 0, 0, 0)):
                    if isinstance(made, Bad):
                        load.bad += 1
                    else:
                        kind = "findings" if isinstance(made, Finding) else "resources"
                        load.keys[kind].add(encode(made).key.decode())
    return load


def _named(corpus: Path, chosen: Path) -> Path:
    """Write the rows of *corpus* that name their account and api.name, which Prisma's resources have, to *chosen*."""
    with corpus.open("rb") as rows, gzip.open(chosen, "wb", 1) as file:
        for line in rows:
            row = json.loads(line)
            if row.get("api_name") and row.get("account"):
                file.write(line)
    return chosen
