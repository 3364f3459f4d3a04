"""Integrations of both directions: added with a form of their own schema, tested, switched, deleted."""

from collections.abc import Iterator

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.console.answering import answering
from tests.console.data import HOSTILE
from tests.console.stage import Up

pytestmark = pytest.mark.kafka

LIST = "/console/settings/integrations"


@pytest.fixture
def vendor() -> Iterator[str]:
    """The address of a vendor."""
    with answering() as address:
        yield address


def test_a_splunk_is_added_tested_switched_off_and_deleted(up: Up, page: Page, vendor: str) -> None:
    page.goto(LIST)
    page.get_by_role("link", name="Add integration").click()
    page.get_by_label("Search types").fill("splunk")
    page.get_by_role("link", name="Splunk").click()
    expect(page.get_by_role("heading", name="At Splunk")).to_be_visible()
    page.get_by_label("Name").fill("SOC collector")
    page.get_by_label("URL").fill("collector.example.com")
    page.get_by_label("Auth token").fill("wrong-token")
    page.get_by_role("button", name="Test").click()
    expect(page.locator('[data-path="url"] .wrong')).to_contain_text("url")
    page.get_by_label("URL").fill(vendor)
    page.get_by_role("button", name="Test").click()
    expect(page.get_by_text("It doesn't work")).to_be_visible()
    page.get_by_label("Auth token").fill("right-token")
    page.get_by_role("button", name="Test").click()
    expect(page.get_by_text("It works")).to_be_visible()
    page.get_by_role("button", name="Save").click()
    line = page.get_by_role("row", name="SOC collector")
    expect(line).to_contain_text("No alert rule names it yet")
    line.get_by_role("switch").click()
    expect(line).to_contain_text("disabled")
    saved = up.client.get("/control/integration/soc-collector")["object"]
    assert (saved["enabled"], saved["settings"]["auth_token"]) == (False, "**********")
    line.get_by_role("button", name="More for SOC collector").click()
    page.get_by_role("menuitem", name="Delete").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(page.get_by_role("row", name="SOC collector")).to_have_count(0)


def test_a_tenable_is_added_tested_switched_off_and_deleted(up: Up, page: Page, vendor: str) -> None:
    page.goto(f"{LIST}/new/in/tenable")
    page.get_by_label("Name").fill("Scanner of the lab")
    page.get_by_label("Access key").fill("a" * 64)
    page.get_by_label("Secret key").fill("b" * 64)
    page.get_by_label("URL").fill(vendor)
    page.get_by_role("button", name="Test").click()
    expect(page.get_by_text("assets and vulnerabilities can be exported")).to_be_visible()
    page.get_by_role("button", name="Save").click()
    line = page.get_by_role("row", name="Scanner of the lab")
    line.get_by_role("switch").click()
    expect(line).to_contain_text("It isn't asked")
    line.get_by_role("button", name="More for Scanner of the lab").click()
    page.get_by_role("menuitem", name="Delete").click()
    expect(page.get_by_role("dialog")).to_contain_text("findings of Tenable")
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(page.get_by_role("row", name="Scanner of the lab")).to_have_count(0)
    assert all(each["id"] != "scanner-of-the-lab" for each in up.client.get("/integrations")["integrations"])


def test_deleting_an_integration_takes_it_out_of_its_rules(up: Up, page: Page) -> None:
    settings, name = {"url": "https://hook.example.com/x"}, f"{HOSTILE} of the lab"
    up.client.change("PUT", "/control/integrations/hook", {"name": name, "type": "webhook", "settings": settings})
    channels = [{"integration": "hook"}]
    up.client.change("PUT", "/control/alert-rules/hooked", {"name": "Hooked", "channels": channels})
    page.goto(f"{LIST}/out/hook")
    expect(page.get_by_role("heading", name=name, exact=True)).to_be_visible()
    assert "owned" not in page.title().replace(name, "")
    page.get_by_role("button", name="Delete").click()
    expect(page.get_by_role("dialog")).to_contain_text("Hooked tells nobody then")
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(page.get_by_role("heading", name="Integrations", exact=True)).to_be_visible()
    assert up.client.get("/control/alert-rules/hooked")["object"]["channels"] == []
    up.client.change("DELETE", "/control/alert-rules/hooked")


def test_a_reader_sees_settings_and_changes_none(up: Up, browser: Browser) -> None:
    with up.context(browser, "read-only") as context:
        page = context.new_page()
        for path in ("/settings/integrations", "/rules", "/rules/default", "/policies", "/users", "/accounts"):
            page.goto(f"/console{path}")
            page.wait_for_selector("main:not([aria-busy]) .screen > *")
            expect(page.get_by_text("your role is read-only")).to_be_visible()
            assert page.locator("main button.main:visible").count() in (0, 1), path
            assert page.locator("main input[role=switch]:enabled").count() == 0, path
            assert page.get_by_role("button", name="Save", exact=True).count() == 0, path


def test_the_secret_of_an_access_key_is_shown_once(up: Up, page: Page) -> None:
    page.goto("/console/users?tab=keys")
    page.get_by_role("button", name="Make a key").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("User").select_option("read-only@example.com")
    dialog.get_by_label("Name").fill("The nightly report")
    dialog.get_by_role("button", name="Make it").click()
    shown = page.get_by_role("dialog", name="The secret is shown once")
    expect(shown).to_be_visible()
    id, secret = shown.locator("code").all_inner_texts()
    said = httpx.post(f"{up.address}/login", json={"username": id, "password": secret})
    assert said.status_code == 200
    shown.get_by_role("button", name="Close").first.click()
    expect(page.get_by_role("row", name="The nightly report")).to_be_visible()
    assert secret not in page.content()
    page.get_by_role("button", name="Delete The nightly report").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(page.get_by_role("row", name="The nightly report")).to_have_count(0)
    page.goto("/console/log?kind=access-key")
    expect(page.get_by_role("row", name="deleted").first).to_contain_text("The nightly report")


def test_a_dead_letter_shows_its_bytes_and_is_sent_again(up: Up, page: Page) -> None:
    page.goto("/console/letters")
    page.get_by_role("link", name="wanted 12 digits").first.click()
    expect(page.get_by_label("Bytes")).to_contain_text('"accountId"')
    page.get_by_role("button", name="Send again").click()
    page.get_by_role("dialog").get_by_role("button", name="Send again").click()
    expect(page.get_by_text("It is on the way again")).to_be_visible()


def test_a_snapshot_is_taken(page: Page) -> None:
    page.goto("/console/snapshots")
    page.get_by_role("button", name="Take a snapshot").first.click()
    expect(page.get_by_text("is taken")).to_be_visible(timeout=20_000)
    expect(page.get_by_role("link", name="Investigate").nth(1)).to_be_visible()


def test_accounts_are_put_into_a_new_group(up: Up, page: Page) -> None:
    page.goto("/console/accounts?tab=groups")
    page.get_by_role("button", name="Add group").click()
    dialog = page.get_by_role("dialog", name="New account group")
    dialog.get_by_label("Name").fill("Shop")
    dialog.get_by_role("button", name="Choose").click()
    page.get_by_role("dialog", name="Accounts").get_by_label("111122223333").check()
    page.get_by_role("dialog", name="Accounts").get_by_role("button", name="Apply").click()
    dialog.get_by_role("button", name="Save").click()
    expect(page.get_by_role("row", name="Shop")).to_contain_text("1 account")
    assert "shop" in up.client.get("/control/cloud-accounts/111122223333")["object"]["groups"]
