"""Alerts in the console: filtered, dismissed, snoozed and opened again, alone and together, and seen live."""

import re

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.console.stage import Up

pytestmark = pytest.mark.kafka


def test_filters_are_the_apis_and_stay_in_the_address(page: Page) -> None:
    page.goto("/console/alerts")
    page.wait_for_selector("a.row-link")
    total = _count(page)
    page.get_by_role("button", name="critical", exact=True).click()
    expect(page).to_have_url(re.compile(r"policy\.severity=critical"))
    page.wait_for_function("n => Number(document.querySelector('.table-count strong')?.textContent) < n", arg=total)
    assert set(page.locator("td .severity").all_text_contents()) == {"critical"}
    page.get_by_role("button", name="Filter", exact=True).click()
    page.get_by_role("menuitem", name="account", exact=True).click()
    page.get_by_label("111122223333").check()
    page.get_by_role("button", name="Apply").click()
    expect(page.get_by_role("button", name="account: 111122223333")).to_be_visible()
    page.reload()
    expect(page.get_by_role("button", name="account: 111122223333")).to_be_visible()


def test_alerts_are_dismissed_together_and_one_is_opened_again(up: Up, page: Page) -> None:
    page.goto("/console/alerts?alert.status=open&cloud.accountId=222233334444")
    page.wait_for_selector("a.row-link")
    for number in (0, 1):
        page.locator("tbody .pick input").nth(number).check()
    chosen = [page.locator("a.row-link").nth(number).get_attribute("href") for number in (0, 1)]
    page.get_by_role("button", name="Dismiss", exact=True).click()
    page.get_by_label("Note").fill("known, <b>see</b> INC-7")
    page.get_by_role("dialog").get_by_role("button", name="Dismiss", exact=True).click()
    expect(page.get_by_role("status").filter(has_text="2 alerts dismissed")).to_be_visible()
    expect(page.locator(f'a[href="{chosen[0]}"]')).to_have_count(0)
    page.goto(str(chosen[0]))
    expect(page.get_by_text("by admin@example.com: known, <b>see</b> INC-7")).to_be_visible()
    page.get_by_role("button", name="Reopen").click()
    page.get_by_role("dialog").get_by_role("button", name="Reopen").click()
    expect(page.get_by_role("button", name="Dismiss", exact=True)).to_be_visible()
    assert up.client.get(f"/alerts/{str(chosen[0]).rpartition('/')[2]}")["status"] == "open"


def test_an_alert_is_snoozed_by_the_keyboard(page: Page) -> None:
    page.goto("/console/alerts?alert.status=open&cloud.accountId=333344445555")
    page.wait_for_selector("a.row-link")
    page.keyboard.press("j")
    page.keyboard.press("x")
    page.keyboard.press("s")
    page.get_by_role("dialog").get_by_role("button", name="Snooze").click()
    expect(page.get_by_role("status").filter(has_text="1 alert snoozed")).to_be_visible()
    page.goto("/console/alerts?alert.status=snoozed")
    page.locator("a.row-link").first.click()
    expect(page.get_by_text("Snoozed until")).to_be_visible()


def test_a_change_elsewhere_is_seen_without_a_reload(up: Up, page: Page) -> None:
    page.goto("/console/alerts?alert.status=open")
    page.wait_for_selector("a.row-link")
    page.wait_for_selector(".light[data-state=ok]")
    one = page.locator("a.row-link").last
    address = str(one.get_attribute("href"))
    up.client.post(f"/alerts/{address.rpartition('/')[2]}/commands", {"action": "dismiss", "note": "elsewhere"})
    expect(page.locator(f'a[href="{address}"]')).to_have_count(0, timeout=12000)


def test_a_reader_sees_alerts_and_no_way_to_change_them(up: Up, browser: Browser) -> None:
    with up.context(browser, "read-only") as context:
        page = context.new_page()
        page.goto("/console/alerts")
        page.wait_for_selector("a.row-link")
        assert page.locator("tbody .pick").count() == 0
        page.locator("a.row-link").first.click()
        page.wait_for_selector(".alert-columns")
        assert page.get_by_role("button", name="Dismiss", exact=True).count() == 0


def test_an_alert_says_where_it_was_sent_and_what_came_of_it(up: Up, page: Page) -> None:
    told = {body[0]["alertId"] for _, body in list(up.receiver.got)}
    page.goto(f"/console/alerts/{sorted(told)[0]}")
    sent = page.locator(".channels li")
    expect(sent.filter(has_text="What the SOC listens to").first).to_contain_text("delivered")
    expect(sent.filter(has_text="Ops channel").first).not_to_contain_text("delivered")


def _count(page: Page) -> int:
    return int(page.locator(".table-count strong").inner_text().replace(",", ""))
