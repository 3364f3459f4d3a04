"""The broker's program comes whole, pinned and once, however often it was cut off and whoever asks at the same time."""

import os
import shutil
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from streams.embedded import Broker
from streams.embedded_fetch import VERSION, class_path, jars
from streams.errors import BrokerError
from streams.settings import Settings

pytestmark = pytest.mark.kafka

ASK = """
import sys
from pathlib import Path
from streams.embedded_fetch import class_path
print(len(class_path(Path(sys.argv[1]), "broker")))
"""


class Mirror:
    """A mirror on loopback: it serves the jars of the cache by their names, and counts what it's asked for."""

    def __init__(self, store: Path) -> None:
        self.asked: Counter[str] = Counter()
        self.spoilt: set[str] = set()
        mirror = self

        class Answer(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                name = self.path.rsplit("/", 1)[1]
                mirror.asked[name] += 1
                file = store / name
                body = file.read_bytes() if file.is_file() else b""
                if name in mirror.spoilt:
                    body = body[:-1] + b"?"
                self.send_response(200 if body else 404)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
        self.address = f"http://127.0.0.1:{self.server.server_address[1]}"

    def jars(self) -> Counter[str]:
        """How often each jar was asked for."""
        return Counter({name: count for name, count in self.asked.items() if name.endswith(".jar")})


@pytest.fixture
def mirror(broker: Broker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Mirror]:
    """A mirror that jgo's own configuration names, as an operator behind a firewall would do it."""
    made = Mirror(broker.cache / f"kafka-{VERSION}")
    thread = threading.Thread(target=made.server.serve_forever)
    thread.start()
    _mirrored(tmp_path, made.address, monkeypatch)
    yield made
    made.server.shutdown()
    made.server.server_close()
    thread.join()


def _mirrored(folder: Path, address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    config = folder / "jgo.conf"
    config.write_text(f"[repositories]\ncentral = {address}\n")
    monkeypatch.setenv("JGO_CONFIG_FILE", str(config))


def test_every_jar_is_pinned_once() -> None:
    pinned = [*jars("broker"), *jars("tools")]
    assert len({jar.file for jar in pinned}) == len(pinned) > 40
    assert f"org.apache.kafka:kafka_2.13:{VERSION}" in {jar.coordinates for jar in pinned}
    assert all(len(jar.sha256) == 64 for jar in pinned)


def test_the_program_comes_whole_with_progress_and_then_from_the_cache(mirror: Mirror, tmp_path: Path) -> None:
    said: list[str] = []
    paths = class_path(tmp_path, "broker", said.append)
    assert [path.name for path in paths] == [jar.file for jar in jars("broker")]
    assert sum(path.stat().st_size for path in paths) == sum(jar.size for jar in jars("broker"))
    assert set(mirror.jars().values()) == {1}
    assert said[0] == "fetching Apache Kafka 4.3.1, once: 46 files, 45 MB"
    assert len(said) > 5
    mirror.asked.clear()
    said.clear()
    assert class_path(tmp_path, "broker", said.append) == paths
    assert not mirror.asked
    assert not said


def test_two_processes_at_once_fetch_once(mirror: Mirror, tmp_path: Path) -> None:
    both = [
        subprocess.Popen([sys.executable, "-c", ASK, tmp_path], stdout=subprocess.PIPE, env=os.environ)
        for _ in range(2)
    ]
    assert [process.communicate(timeout=60)[0] for process in both] == [b"46\n", b"46\n"]
    assert set(mirror.jars().values()) == {1}


def test_what_was_cut_off_or_cleaned_away_is_fetched_again_and_no_more(
    mirror: Mirror, broker: Broker, tmp_path: Path
) -> None:
    home = tmp_path / f"kafka-{VERSION}"
    shutil.copytree(broker.cache / f"kafka-{VERSION}", home)
    first, second, third, *_ = [home / jar.file for jar in jars("broker")]
    first.unlink()
    second.write_bytes(second.read_bytes()[:-1])
    third.write_bytes(b"?" + third.read_bytes()[1:])
    class_path(tmp_path, "broker")
    assert mirror.jars() == {first.name: 1, second.name: 1, third.name: 1}


def test_a_jar_that_is_not_the_pinned_one_is_never_used(mirror: Mirror, tmp_path: Path) -> None:
    wrong = jars("broker")[0]
    mirror.spoilt.add(wrong.file)
    with pytest.raises(
        BrokerError, match=f"{wrong.coordinates}: the fetched file isn't the one that embedded.lock pins"
    ):
        class_path(tmp_path, "broker")
    assert not (tmp_path / f"kafka-{VERSION}" / wrong.file).exists()
    mirror.spoilt.clear()
    assert len(class_path(tmp_path, "broker")) == len(jars("broker"))


def test_without_a_network_the_need_and_the_other_way_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _mirrored(tmp_path, "http://127.0.0.1:1", monkeypatch)
    with pytest.raises(BrokerError) as caught:
        Broker(tmp_path / "data", tmp_path / "cache").start()
    said = str(caught.value)
    assert "a part of Apache Kafka 4.3.1 (" in said
    assert "refused" in said
    assert "The first start needs 45 MB from Maven Central, or from a mirror that jgo.conf names" in said
    assert said.endswith("or use a Kafka of your own: set TIDEGATE_KAFKA_BOOTSTRAP_SERVERS=host:port")
    assert not (tmp_path / "data").exists()


def test_a_cache_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file where the folder should be")
    with pytest.raises(BrokerError, match=r"can't write the broker's program to .*cache.*: .*; set TIDEGATE_CACHE"):
        class_path(tmp_path / "cache", "broker")


def test_the_cache_is_the_users_own() -> None:
    assert Settings().cache.name == "tidegate"
