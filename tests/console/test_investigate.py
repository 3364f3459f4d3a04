"""Investigate and the page of a resource: a query is written, mended and answered, and leads to what is known."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.console.stage import Up

pytestmark = pytest.mark.kafka

ALL = "config from cloud.resource where cloud.type = 'aws'"
MACHINES = ALL + " AND api.name = 'aws-ec2-describe-instances'"


def test_a_query_with_an_error_is_mended_and_answered(up: Up, page: Page) -> None:
    page.goto("/console/investigate")
    query = page.get_by_label("Query in RQL")
    query.fill(MACHINES.replace("cloud.type", "cloud.tpye"))
    expect(page.locator(".rql-bad")).to_have_text("cloud.tpye")
    page.get_by_role("button", name="Use cloud.type").click()
    expect(page.locator(".rql-bad")).to_have_count(0)
    query.press("Control+Enter")
    expect(page.locator(".told")).to_contain_text(f"{_total(up, MACHINES)} rows")
    expect(page.locator(".told")).to_contain_text("every account answered")
    page.locator("a.row-link").first.click()
    expect(page.get_by_role("tab", name="Overview")).to_be_visible()


def test_what_may_come_next_is_offered_and_taken_by_the_keyboard(page: Page) -> None:
    page.goto("/console/investigate")
    query = page.get_by_label("Query in RQL")
    query.press("End")
    query.press_sequentially("api.na")
    expect(page.get_by_role("option", name="api.name")).to_be_visible()
    query.press("Tab")
    query.press_sequentially(" = 'aws-s3")
    expect(page.get_by_role("option").first).to_contain_text("aws-s3api-get-bucket-acl")
    query.press("Enter")
    expect(query).to_have_value(re.compile("api.name = 'aws-s3api-get-bucket-acl"))


def test_a_search_is_explained_saved_found_again_and_deleted(up: Up, page: Page) -> None:
    page.goto(f"/console/investigate?query={ALL}")
    expect(page.locator(".told")).to_contain_text(f"{_total(up, ALL)} rows")
    page.get_by_role("button", name="Explain").click()
    expect(page.get_by_role("dialog")).to_contain_text("select")
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Save").click()
    page.get_by_label("Name").fill("All of <i>AWS</i>")
    page.get_by_role("dialog").get_by_role("button", name="Save").click()
    page.goto("/console/investigate")
    page.get_by_role("button", name="All of <i>AWS</i> config").click()
    expect(page.locator(".told")).to_contain_text(f"{_total(up, ALL)} rows")
    page.get_by_role("button", name="Delete All of").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(page.get_by_role("button", name="All of <i>AWS</i> config")).to_have_count(0)


def test_pages_follow_each_other_and_the_table_is_a_file(up: Up, page: Page) -> None:
    page.goto(f"/console/investigate?query={ALL}")
    page.locator(".size select").select_option("25")
    expect(page.locator("tbody tr")).to_have_count(25)
    page.get_by_role("button", name="Next page").click()
    expect(page.locator("tbody tr")).to_have_count(min(_total(up, ALL) - 25, 25))
    page.get_by_role("button", name="Columns", exact=True).click()
    page.get_by_role("menuitemcheckbox", name="rrn").click()
    page.keyboard.press("Escape")
    with page.expect_download() as saved:
        page.get_by_role("button", name="CSV").click()
    lines = saved.value.path().read_text().splitlines()
    assert len(lines) == _total(up, ALL) + 1
    assert "rrn" in lines[0]


def test_a_resource_shows_its_findings_and_all_that_happened_to_it(up: Up, page: Page) -> None:
    alert = next(
        each
        for each in up.client.get("/alerts", account="111122223333", limit=1000)["alerts"]
        if "instance" in each["rrn"]
    )
    page.goto("/console/alerts/" + alert["id"])
    page.get_by_role("link", name="Open", exact=True).click()
    page.get_by_role("tab", name="Configuration").click()
    page.get_by_label("Search keys and values").fill("httptokens")
    expect(page.locator(".tree")).to_contain_text("metadataOptions.httpTokens")
    page.get_by_role("tab", name="Findings").click()
    page.get_by_label("Search findings").fill("CVE-2026-10")
    expect(page.locator(".tab-body tbody td .severity").first).to_be_visible()
    page.get_by_role("tab", name="Audit trail").click()
    expect(page.locator(".timeline")).to_contain_text("t3.large")
    page.get_by_role("button", name="finding", exact=True).click()
    page.get_by_role("button", name="alert", exact=True).click()
    expect(page.locator(".timeline")).not_to_contain_text("opened")
    page.get_by_role("tab", name="Alerts").click()
    expect(page.locator(".tab-body a.row-link").first).to_be_visible()


def _total(up: Up, query: str) -> int:
    return int(up.client.post("/rql", {"query": query, "limit": 0})["total"])
