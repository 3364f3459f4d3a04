"""Signing in and out, and what a session lets through."""

import json
import re
import subprocess
import sys

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.console.stage import ROOT, Up

pytestmark = pytest.mark.kafka


def test_an_access_key_opens_the_console_and_signing_out_closes_it(up: Up, browser: Browser) -> None:
    key, secret = up.keys["admin"]
    with browser.new_context(base_url=up.address) as context:
        page = context.new_page()
        page.goto("/")
        page.get_by_label("Access key", exact=True).fill(key)
        page.get_by_label("Secret").fill("wrong")
        page.get_by_role("button", name="Sign in").click()
        expect(page.get_by_role("alert")).to_contain_text("is wrong")
        page.get_by_label("Secret").fill(secret)
        page.get_by_role("button", name="Sign in").click()
        expect(page.get_by_role("navigation")).to_contain_text("Investigate")
        cookie = next(each for each in context.cookies() if each["name"] == "tidegate_session")
        assert (cookie["httpOnly"], cookie["sameSite"]) == (True, "Strict")
        page.get_by_role("button", name="Ada Admin").click()
        page.get_by_role("menuitem", name="Sign out").click()
        expect(page.get_by_role("button", name="Sign in")).to_be_visible()
        again = httpx.get(f"{up.address}/api/tidegate/v1/status", headers={"cookie": _cookie(cookie["value"])})
        assert again.status_code == 401


def test_the_local_token_opens_the_console(up: Up, browser: Browser) -> None:
    with browser.new_context(base_url=up.address) as context:
        page = context.new_page()
        page.goto("/console/")
        page.get_by_role("button", name="Use this machine's token").click()
        page.get_by_label("Local token").fill((up.data / "token").read_text())
        page.get_by_role("button", name="Sign in").click()
        expect(page.get_by_role("button", name="local token")).to_be_visible()


def test_a_request_that_changes_something_needs_the_word_of_the_page(up: Up) -> None:
    key, secret = up.keys["admin"]
    with httpx.Client(base_url=up.address) as web:
        told = web.post("/console/session", json={"key": key, "secret": secret}).json()
        assert web.post("/api/tidegate/v1/snapshots").status_code == 403
        assert web.post("/api/tidegate/v1/snapshots", headers={"x-tidegate-csrf": "guessed"}).status_code == 403
        named = {"x-tidegate-csrf": told["csrf"]}
        assert (
            web.post("/api/tidegate/v1/snapshots", headers=named | {"sec-fetch-site": "cross-site"}).status_code == 403
        )
        assert web.post("/api/tidegate/v1/snapshots", headers=named).status_code == 201
        assert web.get("/api/tidegate/v1/status").status_code == 200
        assert web.delete("/console/session").status_code == 403


def test_a_reader_may_ask_and_change_nothing(up: Up) -> None:
    key, secret = up.keys["read-only"]
    with httpx.Client(base_url=up.address) as web:
        told = web.post("/console/session", json={"key": key, "secret": secret}).json()
        named = {"x-tidegate-csrf": told["csrf"]}
        query = {"query": "config from cloud.resource where cloud.type = 'aws'"}
        assert web.post("/api/tidegate/v1/rql", json=query, headers=named).status_code == 200
        refused = web.post("/api/tidegate/v1/snapshots", headers=named)
        assert (refused.status_code, "read-only" in refused.json()["error"]["message"]) == (403, True)


@pytest.mark.parametrize("body", [b"", b"[]", b'{"key": 7}', b"{" * 5000, json.dumps({"key": "k" * 2000}).encode()])
def test_a_login_that_is_no_login_is_refused(up: Up, body: bytes) -> None:
    headers = {"content-type": "application/json"}
    assert httpx.post(f"{up.address}/console/session", content=body, headers=headers).status_code in (401, 422)


def test_the_page_may_run_its_own_files_only(up: Up) -> None:
    page = httpx.get(f"{up.address}/console/alerts")
    policy = page.headers["content-security-policy"]
    assert "unsafe" not in policy
    assert "require-trusted-types-for 'script'" in policy
    assert "<script>" not in page.text
    assert (page.headers["x-frame-options"], page.headers["x-content-type-options"]) == ("DENY", "nosniff")


def test_the_keyboard_goes_everywhere(page: Page) -> None:
    page.goto("/console/")
    page.wait_for_selector("main h1")
    page.keyboard.press("g")
    page.keyboard.press("a")
    expect(page).to_have_url(re.compile("/console/alerts$"))
    page.wait_for_selector("a.row-link")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keyboard shortcuts")).to_contain_text("Go to Alerts")
    page.keyboard.press("Escape")
    page.keyboard.press("Control+k")
    page.keyboard.type("invest")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("/console/investigate"))


def test_the_command_line_opens_the_console_once(up: Up, browser: Browser) -> None:
    command = [sys.executable, "-m", "api.cli", "console", "--show"]
    said = subprocess.run(command, cwd=ROOT, env=up.env, check=True, capture_output=True, text=True)
    address = said.stdout.strip()
    with browser.new_context() as context:
        page = context.new_page()
        page.goto(address)
        expect(page.get_by_role("button", name="local token")).to_be_visible()
        assert "ticket" not in page.url
    again = httpx.post(f"{up.address}/console/session", json={"ticket": address.rpartition("=")[2]})
    assert again.status_code == 401


def _cookie(value: str) -> str:
    return f"tidegate_session={value}"
