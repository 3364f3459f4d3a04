"""Fetch the embedded broker's program: the jars that embedded.lock names, checked and kept in a cache folder."""

import fcntl
import hashlib
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from streams.errors import BrokerError

Progress = Callable[[str], None]
"""Called with a sentence whenever there is something to tell; from one thread at a time."""

VERSION = "4.3.1"
OWN_CLUSTER = "or use a Kafka of your own: set TIDEGATE_KAFKA_BOOTSTRAP_SERVERS=host:port"
"""The other way, which every error that means "no embedded broker here" ends with."""


@dataclass(frozen=True, slots=True)
class Jar:
    """One pinned jar: Maven coordinates group:artifact:version, SHA-256 in hex, size in bytes."""

    coordinates: str
    sha256: str
    size: int

    @property
    def file(self) -> str:
        """The file name in the cache folder."""
        _, artifact, version = self.coordinates.split(":")
        return f"{artifact}-{version}.jar"


def jars(part: Literal["broker", "tools"]) -> tuple[Jar, ...]:
    """Return the pinned jars of *part*, in the order of the lock file."""
    found: dict[str, list[Jar]] = {}
    here: list[Jar] = []
    for line in (Path(__file__).parent / "embedded.lock").read_text().splitlines():
        if line.startswith("["):
            here = found.setdefault(line.strip("[]"), [])
        elif line and not line.startswith("#"):
            coordinates, digest, size = line.split()
            here.append(Jar(coordinates, digest.removeprefix("sha256:"), int(size)))
    return tuple(found[part])


def class_path(folder: Path, part: Literal["broker", "tools"], progress: Progress | None = None) -> list[Path]:
    """Return the jars of *part* under the cache *folder*, fetched if they aren't there yet.

    Safe when several processes do it at once: one fetches, the others wait. A fetch that was cut off is taken up again.
    Raises BrokerError when a jar can't be had, or isn't the one that was pinned.
    """
    wanted = jars(part)
    home = folder / f"kafka-{VERSION}"
    complete = home / f"{part}.complete"
    paths = [home / jar.file for jar in wanted]
    # The marker is written last, by a rename; the sizes catch a cleaner that took single files out of the cache.
    if complete.exists() and all(p.exists() and p.stat().st_size == j.size for p, j in zip(paths, wanted, strict=True)):
        return paths
    try:
        home.mkdir(parents=True, exist_ok=True)
        with alone(home / "fetch.lock", progress):
            _fetch(home, wanted, progress)
            marker = home / f"{part}.partial"
            marker.write_text("\n".join(jar.coordinates for jar in wanted))
            marker.replace(complete)
    except OSError as error:
        raise BrokerError(f"can't write the broker's program to {home}: {error}; set TIDEGATE_CACHE") from error
    return paths


@contextmanager
def alone(lock: Path, progress: Progress | None) -> Iterator[None]:
    """Hold the lock file, after whoever holds it now; the kernel frees it when this process ends in any way."""
    with _in_process, lock.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if progress:
                progress("waiting for another process that is getting Apache Kafka ready")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _fetch(home: Path, wanted: tuple[Jar, ...], progress: Progress | None) -> None:
    """Bring every jar that isn't at home yet, eight at a time."""
    missing = [jar for jar in wanted if not _is_right(home / jar.file, jar)]
    if not missing:
        return
    tell = progress or _silent
    megabytes = sum(jar.size for jar in missing) / 1e6
    tell(f"fetching Apache Kafka {VERSION}, once: {len(missing)} files, {megabytes:.0f} MB")
    done, told = 0.0, 0
    with ThreadPoolExecutor(max_workers=8, thread_name_prefix="fetch") as pool:
        futures = [pool.submit(_fetch_one, home, jar) for jar in missing]
        try:
            for future in as_completed(futures):
                done += future.result() / 1e6
                if int(done) // 5 > told:  # a line for every 5 MB: where it isn't a terminal, they all stay
                    told = int(done) // 5
                    tell(f"fetching Apache Kafka {VERSION}, once: {done:.0f} of {megabytes:.0f} MB")
        except BrokerError:
            pool.shutdown(cancel_futures=True)
            raise
    shutil.rmtree(home / "maven", ignore_errors=True)


def _fetch_one(home: Path, jar: Jar) -> int:
    """Fetch one jar by jgo, which knows the operator's mirrors; check it, move it into place; return its size."""
    try:
        from jgo.config import GlobalSettings
        from jgo.maven import MavenContext
    except ImportError as error:
        raise BrokerError(
            f"no embedded broker here: the package jgo isn't installed. Install it, {OWN_CLUSTER}"
        ) from error

    context = MavenContext(repo_cache=home / "maven", timeout=20)
    context.remote_repos.update(GlobalSettings.load().repositories)
    group, artifact, version = jar.coordinates.split(":")
    wanted = context.project(group, artifact).at_version(version).artifact()
    for attempt in range(3):
        if wanted.cached_path:
            wanted.cached_path.unlink(missing_ok=True)  # what a cut-off fetch left behind
        try:
            path = Path(wanted.resolve())
            break
        except Exception as error:
            # jgo lets through whatever its HTTP library, TLS or XML parser raises: each means that the jar can't be had
            if attempt == 2:
                size = sum(each.size for each in jars("broker")) / 1e6
                raise BrokerError(
                    f"can't fetch {jar.coordinates}, a part of Apache Kafka {VERSION} ({_short(error)})."
                    f" The first start needs {size:.0f} MB from Maven Central, or from a mirror that jgo.conf names:"
                    f" connect this machine once, {OWN_CLUSTER}"
                ) from error
            time.sleep(0.5 + attempt)
    if not _is_right(path, jar):
        path.unlink()
        raise BrokerError(f"{jar.coordinates}: the fetched file isn't the one that embedded.lock pins; not used")
    path.replace(home / jar.file)
    return jar.size


def _is_right(path: Path, jar: Jar) -> bool:
    """Whether the file is the pinned jar, by its hash."""
    if not path.exists() or path.stat().st_size != jar.size:
        return False
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest() == jar.sha256


def _short(error: BaseException) -> str:
    """The innermost cause of an error, on one line."""
    while error.__cause__ or error.__context__:
        error = error.__cause__ or error.__context__ or error
    return f"{type(error).__name__}: {error}".replace("\n", " ")[:200]


def _silent(_: str) -> None:
    """Tell nobody."""


_in_process = threading.Lock()  # flock on two descriptors of one process would be fair too, but waits without a word
