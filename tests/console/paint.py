"""How soon each screen is there, and how much it loads: `python -m tests.console.paint`, on a quiet machine."""

import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Page

from tests.console.screens import screens
from tests.console.stage import chromium, running

LOOK = """() => {
  const paint = performance.getEntriesByName('first-contentful-paint')[0];
  const ours = performance.getEntriesByType('resource').concat(performance.getEntriesByType('navigation'))
    .filter((each) => each.name.includes('/console/') && !each.name.includes('/session'));
  const bytes = ours.reduce((sum, each) => sum + each.encodedBodySize, 0);
  return {paint: paint && paint.startTime, count: ours.length, bytes};
}"""


def main() -> None:
    """Print a line a screen: first paint and the screen's own content, in ms, cold and warm; files, and their size."""
    with tempfile.TemporaryDirectory() as folder, running(Path(folder)) as up, chromium() as browser:
        up.fill(Path(folder))
        sys.stdout.write(
            f"{'screen':14}{'cold ms':>9}{'there ms':>10}{'warm ms':>9}{'there ms':>10}{'files':>7}{'KB':>7}\n"
        )
        for name, address in screens(up).items():
            with up.context(browser) as context:
                page = context.new_page()
                cold, there, loaded = _visit(page, address)
                warm, again, _ = _visit(page, address)
            line = f"{name:14}{cold:9.0f}{there:10.0f}{warm:9.0f}{again:10.0f}"
            sys.stdout.write(f"{line}{loaded['count']:7d}{loaded['bytes'] / 1024:7.1f}\n")


def _visit(page: Page, address: str) -> tuple[float, float, dict[str, int]]:
    page.goto(address)
    page.wait_for_selector("main:not([aria-busy]) .screen > *")
    there = page.evaluate("performance.now()")
    page.wait_for_load_state("load")
    page.wait_for_timeout(200)
    found = page.evaluate(LOOK)
    return float(found["paint"] or 0), float(there), found


if __name__ == "__main__":
    main()
