"""What axe-core says of a page: WCAG 2.2 AA, by the rules that a machine can check."""

import json
from functools import cache
from pathlib import Path

import axe_playwright_python
from playwright.sync_api import Page

TAGS = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")


def findings(page: Page) -> list[str]:
    """Return what is serious or critical, with the element it's about."""
    return _run(page, {"type": "tag", "values": TAGS})


def contrasts(page: Page) -> list[str]:
    """Return which texts are hard to read: all that another theme can change."""
    return _run(page, {"type": "rule", "values": ["color-contrast"]})


def _run(page: Page, chosen: object) -> list[str]:
    page.evaluate(_axe())
    told = page.evaluate(f"axe.run({{runOnly: {json.dumps(chosen)}, resultTypes: ['violations']}})")
    return [
        f"{each['id']}: {node['target']}: {node['failureSummary'][:300]}"
        for each in told["violations"]
        if each["impact"] in ("serious", "critical")
        for node in each["nodes"]
    ]


@cache
def _axe() -> str:
    return (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text(encoding="utf-8")
