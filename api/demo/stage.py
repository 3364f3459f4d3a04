"""What the demo says of itself: numbered steps, what was seen to happen, and the end when something wasn't."""

import itertools
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from api.cli import output
from api.client import Client

ROOT = Path(__file__).parents[2]


class Failed(Exception):
    """A step did not happen."""


def step(title: str, command: str = "") -> None:
    """Begin a step."""
    _print(f"\n{next(_numbers)}. {title}", "bold")
    if command:
        _print(f"   $ {command}", "cyan")


def working(text: str) -> None:
    """Say what is going on."""
    _print(f"   {text}", "dim")


def done(text: str) -> None:
    """Say what was seen to happen."""
    _print(f"   ok  {text}", "green")


def check(happened: bool, otherwise: str) -> None:
    """Raise Failed unless it happened."""
    if not happened:
        raise Failed(otherwise)


def command() -> str:
    """How to call us from here."""
    return "tidegate" if shutil.which("tidegate") else ".venv/bin/tidegate"


def tidegate(client: Client, *arguments: str) -> dict[str, Any]:
    """Run a command of ours; return its JSON."""
    env = os.environ | {"TIDEGATE_DATA": str(client.data)}
    env = {name: value for name, value in env.items() if not name.startswith("TIDEGATE_KAFKA_")}
    ended = subprocess.run(  # noqa: S603 # our own program
        [sys.executable, "-m", "api.cli", *arguments], capture_output=True, text=True, cwd=ROOT, env=env, check=False
    )
    check(ended.returncode == 0, f"tidegate {arguments[0]} ended with code {ended.returncode}: {ended.stderr}")
    return dict(json.loads(ended.stdout))


def _print(text: str, style: str) -> None:
    output.console().print(text, style=style, markup=False, soft_wrap=True)
    sys.stdout.flush()


_numbers = itertools.count(1)
