"""The README's tour works, command by command, on a data folder of its own."""

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BLOCKS = re.findall(r"```console\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), re.DOTALL)
TOUR = re.findall(r"^\$ (.*)\n((?:[^$].*\n)*)", "".join(BLOCKS), re.MULTILINE)
"""Each command with the output that the README shows, if any."""
PREPARE = ("source .venv/bin/activate", "export TIDEGATE_DATA=$PWD/.tidegate")
"""What the test does in its own way: another environment may be active, and the data folder is a scratch one."""


@pytest.mark.kafka
@pytest.mark.timeout(400)  # a broker, and a dozen programs one after the other
def test_every_command_of_the_tour_does_what_the_readme_says(tmp_path: Path) -> None:
    assert tuple(command for command, _ in TOUR[:3]) == (*PREPARE, "tidegate up")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("TIDEGATE_")} | {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "TIDEGATE_DATA": str(tmp_path / "data"),
        "TIDEGATE_API_PORT": "0",
    }
    said: dict[str, str] = {}
    with _up(environment):
        for command, shown in TOUR[3:]:
            done = _run(command, environment)
            assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
            assert done.stdout.strip(), f"{command} printed nothing"
            assert shown.split() == done.stdout.split() or not shown, f"{command}\n{done.stdout}"
            said[command] = done.stdout
            if " send " in command:
                _wait_until_read(environment)
    asked = [text for command, text in said.items() if command.startswith("tidegate rql")]
    assert len(asked) == 3
    assert all("rrn:aws:" in text or "aws-" in text for text in asked), asked
    assert "wanted 12 digits" in said["tidegate dead-letters list"]


@contextmanager
def _up(environment: dict[str, str]) -> Iterator[None]:
    """Run `tidegate up` until the block ends; it must have become ready, and stop cleanly when it's told to."""
    process = subprocess.Popen(
        ["tidegate", "up"], cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    try:
        _wait(lambda: _run("tidegate status", environment).returncode == 0 or process.poll() is not None, "it is ready")
        assert process.poll() is None, process.communicate()[0]
        yield
    finally:
        process.terminate()
        output = process.communicate(timeout=60)[0]
    assert process.returncode == 0, output


def _wait_until_read(environment: dict[str, str]) -> None:
    """Wait until everything that was sent is in the store."""

    def behind() -> int:
        done = _run("tidegate status --json", environment)
        partitions = json.loads(done.stdout)["partitions"]
        return sum(each["lag"] for each in partitions)

    _wait(lambda: behind() == 0, "the store has read everything")


def _wait(done: Callable[[], bool], what: str, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < deadline, f"waited {seconds:.0f} s until {what}"
        time.sleep(0.5)


def _run(command: str, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["bash", "-euo", "pipefail", "-c", command],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
