"""A scanner's finding, completed with what its vendor tells elsewhere: of the check, and of the host in its cloud.

Pure: what a finding said itself stays in its `linked.own`, so that it can be completed anew when its vendor says more,
or something else. It takes only what it doesn't say itself.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from streams.identity import UNLINKED
from streams.store.hosts import HELD
from streams.store.vendor import Told

Fields = dict[str, Any]


def completed(finding: Fields, assets: Told | None, knowledge: Told | None) -> Fields:
    """Return *finding*, a record of the topic, with all that is known now; its version is the vendor's own.

    Of assets: account, region, references, and that a host is gone. Of knowledge: title, name, CVEs, scores, severity,
    packages, texts, links.
    """
    own = said(finding)
    now = dict(own)
    if knowledge is not None:
        for told in knowledge.records:
            _learn(now, told)
    if assets is not None:
        _place(now, assets.records)
    linked: Fields = {}
    if assets is not None:
        linked["asset"] = assets.digest
    if knowledge is not None:
        linked["knowledge"] = knowledge.digest
    if borrowed := {name: own[name] for name in own if now[name] != own[name]}:
        linked["own"] = borrowed
    return now | {"linked": linked}


def said(finding: Fields) -> Fields:
    """Return *finding* as its vendor sent it, without what it was completed with."""
    linked = finding.get("linked") or {}
    return {**finding, **linked.get("own", {}), "version": first_version(finding["version"]), "linked": {}}


def rewritten(finding: Fields, assets: Told | None, knowledge: Told | None) -> list[Fields]:
    """Return the records that take the place of *finding*: itself completed, above the version that it has; and its
    deletion where it has got another account. None, where nothing is different.
    """
    now = completed(finding, assets, knowledge)
    if now | {"version": finding["version"]} == finding:
        return []
    now["version"] = next_version(finding["version"])
    if now["account"] == finding["account"]:
        return [now]
    return [now, {**finding, "version": now["version"], "deleted": True, "original": None}]


def first_version(version: str) -> str:
    """Return the vendor's own version of a finding that was rewritten."""
    return version.partition(_REWRITTEN)[0]


def next_version(version: str) -> str:
    """Return a version above *version*, and below every other that is above it."""
    first, _, count = version.partition(_REWRITTEN)
    return f"{first}{_REWRITTEN}{int(count or 0) + 1:06d}"


_REWRITTEN = ".linked."
_TEXTS = ("description", "remediation")
_LISTS = ("cves", "cvss", "packages", "links")


def _learn(now: Fields, told: Mapping[str, Any]) -> None:
    check = now["knowledge"].lower()
    for name in (*_TEXTS, *_LISTS):
        if not now.get(name):
            now[name] = told.get(name) or now.get(name)
    if now.get("score") is None:
        now["score"] = told.get("score")
    for name, between in (("title", " "), ("name", "-")):
        if now[name].lower().replace(between, ":") == check:  # the number of the check is all that it says
            now[name] = told.get(name) or now[name]
    if not now.get("vendor_severity"):
        for name in ("severity", "vendor_severity"):
            now[name] = told.get(name) or now[name]


def _place(now: Fields, assets: Sequence[Mapping[str, Any]]) -> None:
    own = [asset for asset in assets if not str(asset["id"]).startswith(HELD)]
    known = [asset for asset in own if asset.get("account", UNLINKED) != UNLINKED]
    where = max(known, key=lambda asset: (not asset.get("deleted"), asset["version"]), default=None)
    if where is not None and now["account"] in (UNLINKED, where["account"]):
        now["account"], now["cloud"] = where["account"], where.get("cloud")
        now["region"] = now.get("region") or where.get("region", "")
        _refer(now, where)
        if not any(asset.get("references") for asset in own):
            for machine in assets:
                if str(machine["id"]).startswith(HELD) and machine["account"] == where["account"]:
                    _refer(now, machine if _meanwhile(now, machine) else {})
    newest = max(own, key=lambda asset: str(asset["version"]), default={})
    if newest.get("deleted") and now["status"] == "open" and newest["version"] >= now["version"]:
        now["status"] = "fixed"
        now["status_reason"] = f"asset {newest.get('status_reason') or 'DELETED'}"


def _refer(now: Fields, asset: Mapping[str, Any]) -> None:
    named = {_id(reference) for reference in now["references"]}
    more = [each for each in asset.get("references", ()) if _id(each) not in named]
    if more:
        now["references"] = [*now["references"], *more]


def _meanwhile(now: Fields, machine: Mapping[str, Any]) -> bool:
    """Tell whether a finding was seen since *machine* has its name and address, and so isn't of one before it."""
    since = machine.get("first_seen")
    return since is None or (now.get("last_seen") or 0) >= since


def _id(reference: Mapping[str, Any]) -> str:
    return str(reference["id"]).lower()
