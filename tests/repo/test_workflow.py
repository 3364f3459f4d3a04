"""Nothing in the repository ties it to one machine, one network or one way of working."""

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TRACKED = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()
TEXTS = [name for name in TRACKED if Path(name).suffix not in {".gz", ".png", ".parquet"} and (ROOT / name).is_file()]

FORBIDDEN = {
    "a folder of one machine": r"(?<![\w.>}])/(work|root|home/\w+|Users/\w+)/",
    "a temporary folder that was left in": r"(?<![\w.])/tmp/[a-z]",
    "the host of a package registry": "|".join(
        re.escape(".".join(parts))
        for parts in (
            ("files", "pythonhosted", "org"),
            ("pypi", "org"),
            ("repo1", "maven", "org"),
            ("repo", "maven", "apache", "org"),
            ("registry", "npmjs", "org"),
            ("deb", "debian", "org"),
        )
    ),
    "an index that is not the user's own": r"(?m)^\s*(--index-url|--extra-index-url|--find-links|index-url\s*=)",
    "a reference that a reader cannot follow": r"(?i)\b(issue|ticket) #?\d+\b|\bsub-?agents?\b|\bco-authored-by\b",
    "a promise instead of work": r"\b(TO" + r"DO|FIX" + r"ME|XX" + r"X)\b",
}


@pytest.mark.parametrize("what", FORBIDDEN)
def test_no_tracked_file_holds(what: str) -> None:
    pattern = re.compile(FORBIDDEN[what])
    found = [
        f"{name}: {match.group()}"
        for name in TEXTS
        if name
        not in (
            "tests/repo/test_workflow.py",
            "Dockerfile",
        )  # the one has the patterns, the other's folders are the image's
        for match in [pattern.search((ROOT / name).read_text(encoding="utf-8", errors="replace"))]
        if match
    ]
    assert found == []


@pytest.mark.parametrize(
    ("what", "text"),
    [
        ("a folder of one machine", "open('/root/x')"),
        ("a temporary folder that was left in", "data = '/tmp/abc'"),
        ("the host of a package registry", "https://pypi.org/simple"),
        ("a reference that a reader cannot follow", "see issue 12 for why"),
    ],
)
def test_the_patterns_find_what_they_are_for(what: str, text: str) -> None:
    assert re.search(FORBIDDEN[what], text)


def test_every_file_is_small_enough_to_read_or_is_small_test_data() -> None:
    large = {name for name in TRACKED if (ROOT / name).is_file() and (ROOT / name).stat().st_size > 300_000}
    assert large == set()


def test_continuous_integration_runs_what_a_contributor_runs() -> None:
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    commands = [line.partition("#")[0].strip() for line in script.splitlines() if line.startswith("make")]
    assert commands == ["make check", "make test"]
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert all(command in readme for command in commands)


def test_make_alone_describes_every_target() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    listed = subprocess.run(["make"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert set(re.findall(r"^make (\w+) +\S", listed, re.MULTILINE)) == targets


def test_the_lock_pins_every_package_with_a_hash_for_each_file() -> None:
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    entries = re.findall(r"^[a-z].*?(?=^[a-z]|\Z)", lock, re.MULTILINE | re.DOTALL)
    assert len(entries) > 50
    for entry in entries:
        assert re.match(r"[a-z0-9._-]+==[^ ]+( ; [^\\]+)? \\\n    --hash=sha256:[0-9a-f]{64}", entry), entry.partition(
            "\n"
        )[0]
