"""One running Tidegate and one browser for all of the console's tests; skipped where no Chromium is."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from streams.embedded import Broker
from tests.console.stage import CHROMIUM, Up, chromium, running


@pytest.fixture(scope="package")
def started(broker: Broker, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    """A whole Tidegate, empty until the first test that asks for `up`."""
    if CHROMIUM is None:
        pytest.skip("no Chromium is installed")
    with running(tmp_path_factory.mktemp("console"), broker.bootstrap_servers) as runs:
        yield runs


@pytest.fixture(scope="package")
def up(started: Up, tmp_path_factory: pytest.TempPathFactory) -> Up:
    """The same, filled."""
    started.fill(tmp_path_factory.mktemp("data"))
    return started


@pytest.fixture(scope="module")
def browser(started: Up) -> Iterator[Browser]:
    """A browser. Of a module only: while it runs, no other test of this process could have an event loop."""
    with chromium() as runs:
        yield runs


@pytest.fixture
def page(up: Up, browser: Browser, tmp_path: Path) -> Iterator[Page]:
    """A tab of an admin who is signed in; the test fails when the page complains."""
    with up.context(browser, viewport={"width": 1360, "height": 900}) as context:
        tab = context.new_page()
        wrong: list[str] = []
        tab.on("pageerror", lambda error: wrong.append(str(error)))
        tab.on(
            "console",
            lambda said: wrong.append(said.text) if said.type == "error" and "status of" not in said.text else None,
        )
        yield tab
        assert wrong == []
