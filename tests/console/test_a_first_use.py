"""Somebody who has just started Tidegate: three clicks to a useful answer. Runs first, while all is empty."""

import re

import pytest
from playwright.sync_api import Browser, expect

from tests.console.stage import Up

pytestmark = pytest.mark.kafka


def test_an_empty_system_says_what_to_do_and_three_clicks_show_what_is_wrong(started: Up, browser: Browser) -> None:
    if started.client.get("/status")["rows"]["resources"]:
        pytest.skip("another test has filled it")
    with started.context(browser) as context:
        page = context.new_page()
        page.goto("/")
        expect(page.get_by_role("heading", name="Welcome to Tidegate")).to_be_visible()
        page.get_by_role("button", name="Try it with sample data").click()
        page.locator("a.row-link").first.click(timeout=60_000)
        expect(page.get_by_role("heading", name="How to mend it")).to_be_visible()
        page.get_by_role("link", name="Open", exact=True).click()
        expect(page).to_have_url(re.compile("999900001111"))
        expect(page.get_by_role("tab", name=re.compile("Findings"))).to_be_visible()
