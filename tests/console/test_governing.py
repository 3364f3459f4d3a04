"""Alert rules, policies and notification templates, as somebody makes them in the console."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.console.answering import answering
from tests.console.stage import Up

pytestmark = pytest.mark.kafka


@pytest.fixture
def jira(up: Up) -> Iterator[str]:
    """The id of a Jira integration whose Jira answers."""
    with answering() as address:
        settings = {"host_url": address, "login": "a@example.com", "api_token": "t", "project": "SEC"}
        document = {"name": "Issues", "type": "jira", "settings": settings | {"issue_type": "Bug"}}
        up.client.change("PUT", "/control/integrations/issues", document)
        yield "issues"


def test_a_channel_is_added_to_a_rule_in_two_clicks(up: Up, page: Page, jira: str) -> None:
    up.client.change("PUT", "/control/alert-rules/two-clicks", {"name": "Two clicks", "severities": ["critical"]})
    page.goto("/console/rules")
    page.get_by_role("button", name="Add a channel to Two clicks").click()
    page.get_by_role("menuitem", name="Issues").click()
    expect(page.get_by_text("Issues hears of open and resolved alerts of Two clicks from now on")).to_be_visible()
    channels = up.client.get("/control/alert-rules/two-clicks")["object"]["channels"]
    assert [(each["integration"], each["states"]) for each in channels] == [(jira, ["open", "resolved"])]
    up.client.change("DELETE", "/control/alert-rules/two-clicks")


def test_the_wizard_makes_a_rule_and_shows_what_it_covers_before(up: Up, page: Page, jira: str) -> None:
    page.goto("/console/rules/new")
    covered = page.locator("section.panel", has=page.get_by_role("heading", name="What it covers now"))
    expect(covered).to_contain_text("of")
    page.get_by_label("Name").fill("Critical in the shop")
    page.get_by_role("button", name="Next").click()
    page.get_by_role("button", name="critical", exact=True).click()
    expect(covered).not_to_contain_text("high")
    page.get_by_role("button", name="Next").click()
    page.get_by_role("button", name="Add a channel").click()
    page.get_by_label("Integration").select_option(jira)
    expect(covered).to_contain_text("opens what it will never close")
    page.get_by_role("group", name="Told of").get_by_role("button", name="resolved").click()
    expect(covered).to_contain_text("Issues is told of open and resolved alerts as it happens")
    page.get_by_label("When").select_option("own")
    page.get_by_label("Schedule as an RRULE").fill("FREQ=SECONDLY")
    expect(covered).to_contain_text("digests are an hour apart at least")
    page.get_by_label("When").select_option("daily")
    page.get_by_role("button", name="Next").click()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("row", name="Critical in the shop")).to_contain_text("Issues")
    made = up.client.get("/control/alert-rules/critical-in-the-shop")["object"]
    assert (made["severities"], made["channels"][0]["digest"]["schedule"]) == (["critical"], "daily")
    up.client.change("DELETE", "/control/alert-rules/critical-in-the-shop")


def test_a_policy_of_ones_own_is_written_shown_and_deleted(up: Up, page: Page) -> None:
    page.goto("/console/policies")
    page.get_by_role("link", name="Add policy").first.click()
    page.get_by_label("Name").fill("Machines in the lab")
    query = page.get_by_label("Query in RQL")
    query.fill("config from cloud.resource where cloud.tipe = 'aws' AND api.name = 'x'")
    expect(page.locator(".rql-wrong")).to_contain_text("cloud.tipe")
    query.fill("config from cloud.resource where api.name = 'aws-ec2-describe-instances'")
    expect(page.get_by_text("resources violate it now")).to_be_visible()
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Save").click()
    expect(page.locator('[data-path="description"] .wrong')).to_be_visible()
    page.get_by_label("What is wrong").fill("They cost money.")
    page.get_by_label("How to mend it").fill("Stop them.")
    page.get_by_role("button", name="Save").click()
    page.get_by_label("Search policies").fill("in the lab")
    line = page.get_by_role("row", name="Machines in the lab")
    line.get_by_role("switch").click()
    expect(page.get_by_text("is disabled: its open alerts resolve")).to_be_visible()
    assert up.client.get("/control/policies/machines-in-the-lab")["object"]["enabled"] is False
    line.get_by_role("button", name="More for").click()
    page.get_by_role("menuitem", name="Delete").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(line).to_have_count(0)


def test_a_template_is_made_of_jiras_own_fields_and_shown_with_an_alert(up: Up, page: Page, jira: str) -> None:
    page.goto("/console/templates")
    page.get_by_role("link", name="Add template").first.click()
    page.get_by_label("Name").fill("Ticket of the cloud team")
    page.get_by_label("Integration").select_option(jira)
    page.get_by_role("button", name="Fetch its fields").click()
    page.get_by_label("Team", exact=True).select_option("Cloud")
    page.get_by_label("Value of Summary").fill("${Severity} in ${AccountId}: {{ alert.policy.title }}")
    shown = page.locator("section.panel", has=page.get_by_role("heading", name="With a real alert"))
    expect(shown).to_contain_text("has no attribute")
    page.get_by_label("Value of Summary").fill("${Severity} in ${AccountId}: {{ alert.policy.name }}")
    expect(shown).not_to_contain_text("has no attribute")
    expect(shown).to_contain_text("Cloud")
    page.get_by_role("button", name="Test").click()
    expect(page.get_by_text("It would be taken")).to_be_visible()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("row", name="Ticket of the cloud team")).to_be_visible()
    made = up.client.get("/control/notification-templates/ticket-of-the-cloud-team")["object"]
    assert {each["field"] for each in made["open"]} >= {"summary", "customfield_10010"}
    page.get_by_role("button", name="Delete Ticket of the cloud team").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(page.get_by_role("row", name="Ticket of the cloud team")).to_have_count(0)
