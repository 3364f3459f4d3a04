"""What holds for every screen: accessible, quick, small, narrow enough for a phone, and no name becomes markup."""

import gzip
import re
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.console.accessibility import contrasts, findings
from tests.console.data import HOSTILE
from tests.console.screens import screens
from tests.console.stage import Up

pytestmark = pytest.mark.kafka

STATIC = Path(__file__).parents[2] / "api" / "console" / "static"
MOST_BYTES = 150 * 1024
QUIET = "main:not([aria-busy]) .screen > *"


def test_no_screen_has_a_serious_finding_of_accessibility(up: Up, browser: Browser) -> None:
    found: dict[str, object] = {}
    with up.context(browser, reduced_motion="reduce", bypass_csp=True) as context:
        page = context.new_page()
        for name, address in screens(up).items():
            found[name] = _seen(page, address, findings)
            page.emulate_media(color_scheme="dark")
            found[f"{name}, dark"] = contrasts(page)
            page.emulate_media(color_scheme="light")
    assert {name: wrong for name, wrong in found.items() if wrong} == {}


def test_a_phone_shows_every_screen_without_scrolling_sideways(up: Up, browser: Browser) -> None:
    with up.context(browser, viewport={"width": 360, "height": 740}) as context:
        page = context.new_page()
        wide = {name: _seen(page, address, _width) for name, address in screens(up).items()}
        assert wide == dict.fromkeys(wide, 360)
        page.get_by_role("button", name="Screens").click()
        page.get_by_role("navigation").get_by_role("link", name="Alerts").click()
        expect(page.get_by_role("heading", name="Alerts", exact=True)).to_be_visible()


def test_what_a_cloud_names_is_shown_as_text(up: Up, page: Page) -> None:
    hostile = next(each for each in up.client.get("/alerts", limit=1000)["alerts"] if "i-0bad" in each["rrn"])
    shown = [f"/console/alerts/{hostile['id']}", f"/console/alerts?resource.name={httpx.QueryParams(x=HOSTILE)}"[:-1]]
    tabs = ["", "config", "findings", "trail", "alerts"]
    place = str(httpx.URL("/console/resource", params={"rrn": hostile["rrn"]}))
    for address in [shown[0], "/console/alerts", "/console/", *(f"{place}&tab={tab}" for tab in tabs)]:
        page.goto(address)
        page.wait_for_selector(QUIET)
        page.wait_for_timeout(150)
        assert "owned" not in page.title().replace(HOSTILE, "")
        assert page.locator("main img, main script").count() == 0
    page.goto(place)
    expect(page.get_by_role("heading", name=HOSTILE, exact=True)).to_be_visible()


def test_no_module_can_make_markup_of_text() -> None:
    for path in STATIC.rglob("*.js"):
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function", text), (
            path.name
        )
        assert not re.search(r"https?://(?!www\.w3\.org/2000/svg)", text), f"{path.name} names another address"
        assert text.startswith("// "), f"{path.name} doesn't say what it is"


def test_all_that_is_ours_together_is_small() -> None:
    packed = {path.name: len(gzip.compress(path.read_bytes(), 9)) for path in STATIC.rglob("*") if path.is_file()}
    assert sum(packed.values()) < MOST_BYTES, sorted(packed.items(), key=lambda each: -each[1])[:10]


def test_a_file_is_kept_by_the_browser_and_the_page_is_asked_for_again(up: Up) -> None:
    page = httpx.get(f"{up.address}/console/")
    assert (page.headers["cache-control"], page.headers["content-encoding"]) == ("no-cache", "gzip")
    script = re.search(r'src="([^"]+app\.js)"', page.text)
    assert script is not None
    file = httpx.get(up.address + script[1])
    assert "immutable" in file.headers["cache-control"]
    assert httpx.get(up.address + script[1].replace("app.js", "../app.js")).status_code == 404
    assert httpx.get(f"{up.address}/console/assets/0/app.js").status_code == 404


def _seen(page: Page, address: str, look: object) -> object:
    page.goto(address)
    page.wait_for_selector(QUIET)
    page.wait_for_load_state("load")
    page.wait_for_timeout(300)
    assert callable(look)
    return look(page)


def _width(page: Page) -> object:
    return page.evaluate("document.documentElement.scrollWidth")
