"""Pictures of every screen, light and dark, into docs/console: `python -m tests.console.shots [NAME...]`.

Needs Chromium.
"""

import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Page

from tests.console.screens import screens
from tests.console.stage import ROOT, chromium, running

PLACE = ROOT / "docs" / "console"
WIDTH, HEIGHT = 1200, 760


def main(wanted: list[str]) -> None:
    """Take the pictures whose names are *wanted*; all when none are."""
    PLACE.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, running(Path(folder)) as up, chromium() as browser:
        with up.context(browser) as context:
            context.new_page().goto("/console/")  # while somebody looks, the rate is measured
            up.fill(Path(folder))
        for scheme in ("light", "dark"):
            with up.context(
                browser, viewport={"width": WIDTH, "height": HEIGHT}, color_scheme=scheme, reduced_motion="reduce"
            ) as context:
                page = context.new_page()
                for name, address in screens(up).items():
                    if not wanted or name in wanted:
                        take(page, address, PLACE / f"{name}-{scheme}.png")


def take(page: Page, address: str, path: Path) -> None:
    """Take a picture of one screen once it's quiet."""
    page.goto(address)
    page.wait_for_selector("main:not([aria-busy]) .screen > *")
    page.wait_for_timeout(900)  # charts and lists come one by one
    page.screenshot(path=path)


if __name__ == "__main__":
    main(sys.argv[1:])
