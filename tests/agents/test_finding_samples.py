"""Every public sample of a finding goes through its source: it's normalised, or refused for a reason that holds."""

from collections import Counter
from pathlib import Path

import orjson
import pytest

from agents.normalise import NORMALISERS
from agents.normalise._base import Bad
from streams.codec import encode
from streams.identity import UNLINKED, Place
from streams.records import Finding

SAMPLES = Path(__file__).parents[3] / "shared" / "corpus" / "findings"

SOURCES = {
    "guardduty": "guardduty",
    "guardduty_asff": "guardduty",
    "inspector2": "inspector",
    "inspector2_asff": "inspector",
    "inspector_classic": "inspector",
    "securityhub_asff": "securityhub",
    "qualys": "qualys",
    "tenable": "tenable",
    "access_analyzer": "securityhub",
    "azure_defender": "securityhub",
    "ocsf_examples": "securityhub",
    "other_aws": "guardduty",
}
"""The folders of samples. The last four hold formats that no source claims: their refusal says so."""

REASONS = {
    "guardduty": (
        "missing",  # of fields without which nothing says what it is or when: type, updatedAt
        "wanted 12 digits",  # masked or made-up accounts
        "wanted text, got a number",  # a sample of what is malformed
        "not JSON",  # the same
        "an answer with ids only",
    ),
    "guardduty_asff": (),
    "inspector2": ("missing",),  # an empty object
    "inspector2_asff": ("wanted 12 digits",),
    "inspector_classic": ("names of findings only",),
    "securityhub_asff": ("wanted 12 digits", "wanted 'Security Hub Findings"),
    "qualys": (
        "an answer with ids only",
        "wanted host assets",
        "no data, but Qualys's answer",
        "a web application",
        "not JSON",
    ),
    "tenable": (
        "the name of an export",
        "the state of an export",
        "a state and no data",
        "a list of filters",
        "outputs that name no plugin",
        "details that name neither plugin nor asset",
        "what happened to an asset",
        "a list of images",
        "counts of",
    ),
    "access_analyzer": ("missing: it's no finding in AWS Security Finding Format",),
    "azure_defender": ("missing: it's no finding in AWS Security Finding Format",),
    "ocsf_examples": ("missing: it's no finding in AWS Security Finding Format", "not JSON"),
    "other_aws": ("missing", "an answer with ids only"),
}
"""How the reasons begin for which samples are refused."""

COUNTS = {
    "guardduty": (34, 17),
    "guardduty_asff": (5, 0),
    "inspector2": (50, 1),
    "inspector2_asff": (9, 5),
    "inspector_classic": (1, 1),
    "securityhub_asff": (787, 3),
    "qualys": (15, 41),
    "tenable": (2061, 69),
    "ocsf_examples": (4, 33),
}
"""Records and refusals by folder, of the formats that a source claims."""


@pytest.mark.skipif(not SAMPLES.is_dir(), reason="the collection of public samples isn't beside this checkout")
def test_every_sample_is_normalised_or_refused_for_a_reason_that_holds() -> None:
    listed = [orjson.loads(line)["file"] for line in (SAMPLES / "index.jsonl").read_bytes().splitlines()]
    assert {name.partition("/")[0] for name in listed} == set(SOURCES)
    counted: Counter[tuple[str, bool]] = Counter()
    for name in listed:
        folder = name.partition("/")[0]
        source = NORMALISERS[SOURCES[folder]]
        for entry in source.read((SAMPLES / name).read_bytes(), Place(source.topic, 0, 42, 1_772_442_000_000)):
            counted[folder, isinstance(entry, Bad)] += 1
            if isinstance(entry, Bad):
                assert entry.reason.startswith(REASONS[folder]), (name, entry.place, entry.path, entry.reason)
            else:
                assert encode(entry).value
    assert {folder: (counted[folder, False], counted[folder, True]) for folder in COUNTS} == COUNTS


@pytest.mark.skipif(not SAMPLES.is_dir(), reason="the collection of public samples isn't beside this checkout")
def test_what_aws_finds_in_a_sample_names_a_resource() -> None:
    named = nameless = 0
    for folder in ("guardduty", "guardduty_asff", "inspector2", "inspector2_asff", "securityhub_asff"):
        source = NORMALISERS[SOURCES[folder]]
        for path in sorted((SAMPLES / folder).iterdir()):
            for entry in source.read(path.read_bytes(), Place(source.topic, 0, 42, 1_772_442_000_000)):
                if isinstance(entry, Finding):
                    assert entry.account != UNLINKED
                    named += bool(entry.references)
                    nameless += not entry.references
    assert named / (named + nameless) > 0.99
