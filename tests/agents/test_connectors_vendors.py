"""What is special about each vendor that is pulled: how it pages, what it forgets to send, how it says no."""

from collections.abc import Callable

import pytest

from agents.connectors import tenable as tenable_connector
from agents.connectors._base import Halted, checked
from agents.sinks._outcome import Config, Ok, Reply, Retry
from streams.records import Finding, VendorAsset
from tests.agents.pulling import NOW, fill, scene
from tests.fakes import qualys, tenable
from tests.fakes.aws_regional import REGIONS

DAY = 86_400


async def test_guardduty_misses_nothing_when_findings_change_while_they_are_read() -> None:
    """A finding that changes goes to the end of the list: the next place in it would skip one."""
    async with scene("guardduty") as here:
        fill("guardduty", here.fake, 0, 160, NOW - 20 * DAY)
        here.fake.changing = [("eu-west-1", f"f{number:04d}", round(NOW * 1000) + number) for number in range(3)]
        pages = await here.pull({})
        assert here.ids(pages) >= {each["arn"] for each in here.fake.findings["eu-west-1"].values()}


async def test_guardduty_reads_on_through_many_changes_in_one_millisecond() -> None:
    async with scene("guardduty") as here:
        for number in range(170):
            here.fake.put("eu-west-1", f"f{number}", 1_772_000_000_000)
        assert len(here.ids(await here.pull({}))) == 170
        assert here.fake.wrong == []


async def test_guardduty_brings_archived_findings_so_that_they_close() -> None:
    async with scene("guardduty") as here:
        service = {"serviceName": "guardduty", "archived": True, "count": 1}
        here.fake.put("eu-west-1", "f1", 1_772_000_000_000, service=service)
        (made,) = here.records(await here.pull({}))
        assert isinstance(made, Finding)
        assert made.status == "suppressed"


@pytest.mark.parametrize("name", ["guardduty", "inspector"])
async def test_regions_that_the_account_may_not_use_are_passed_over_unless_they_are_named(name: str) -> None:
    async with scene(name) as here:
        fill(name, here.fake, 0, 4, NOW - DAY)
        here.fake.closed = {"ap-south-1": "AccessDeniedException"}
        assert len(here.ids(await here.pull({}))) == 4
        assert isinstance(await checked(here.connector, here.way), Ok)
        here.fake.closed = dict.fromkeys(REGIONS, "AccessDeniedException")
        with pytest.raises(Halted, match="can't be read in any region"):
            await here.pull({})
    async with scene(name, regions=["eu-west-1", "ap-south-1"]) as here:
        here.fake.closed = {"ap-south-1": "AccessDeniedException"}
        outcome = await checked(here.connector, here.way)
        assert isinstance(outcome, Config)
        assert "ap-south-1" in outcome.words


async def test_a_region_that_fails_holds_no_other_back() -> None:
    async with scene("inspector") as here:
        fill("inspector", here.fake, 0, 4, NOW - DAY)
        here.fake.closed = {"ap-south-1": "InternalServerException"}
        pages, halted = await here.pull_until_halted({})
        assert "1 of 3 regions: ap-south-1" in str(halted)
        assert isinstance(halted.outcome, Retry)
        assert len(here.ids(pages)) == 4


async def test_inspector_begins_a_window_again_when_its_token_is_too_old() -> None:
    async with scene("inspector", regions=["eu-west-1"]) as here:
        fill("inspector", here.fake, 0, 200, NOW - DAY)
        before = await here.pull({}, 2)
        here.fake.tokens += 1
        here.fake.now += 7 * DAY
        fill("inspector", here.fake, 1000, 2, NOW + DAY)
        after = await here.pull(before[-1].checkpoint)
        assert len(here.ids(after)) == len(here.fake.findings["eu-west-1"])
        assert here.fake.wrong == []


async def test_a_role_is_assumed_with_its_external_id_and_again_when_its_session_ends() -> None:
    async with scene("inspector", regions=["eu-west-1"]) as here:
        fill("inspector", here.fake, 0, 10, NOW - DAY)
        await here.pull({})
        here.fake.signer.revoke()
        await here.pull({})
        assert here.fake.signer.sessions == 2
    async with scene("inspector", external_id="another") as here:
        outcome = await checked(here.connector, here.way)
        assert isinstance(outcome, Config)
        assert "role" in outcome.words


async def test_tenable_adopts_an_export_that_is_under_way() -> None:
    async with scene("tenable") as here:
        fill("tenable", here.fake, 0, 6, NOW - DAY)
        first = await here.pull({}, 1)  # the export of assets is begun, and its name is kept
        lost = await here.again().pull({})  # as if that had been lost before it was kept
        assert first[0].checkpoint["assets"]["job"] in here.fake.jobs
        assert len(here.ids(lost)) == 12
        kinds = [job["filters"].keys() for job in here.fake.jobs.values() if job["kind"] == "assets"]
        assert len(kinds) == 3


async def test_tenable_takes_no_chunk_twice_after_a_kill() -> None:
    async with scene("tenable") as here:
        fill("tenable", here.fake, 0, 9, NOW - DAY)
        before = await here.pull({}, 4)
        await here.again().pull(before[-1].checkpoint)
        assert len(here.fake.served) == len(set(here.fake.served))
        assert len(here.fake.jobs) == len(tenable_connector.EXPORTS)


@pytest.mark.parametrize("state", ["ERROR", "CANCELLED"])
async def test_tenable_begins_a_new_export_after_one_that_failed(state: str) -> None:
    async with scene("tenable") as here:
        fill("tenable", here.fake, 0, 6, NOW - DAY)
        here.fake.ends = {"vulns": state}
        pages, halted = await here.pull_until_halted({})
        assert state in str(halted)
        pages += await here.again().pull(pages[-1].checkpoint)
        assert len(here.ids(pages)) == 12
        assert pages[-1].checkpoint["vulnerabilities"]["since"] > NOW - DAY


async def test_tenable_begins_a_new_export_where_the_old_one_is_forgotten() -> None:
    async with scene("tenable") as here:
        fill("tenable", here.fake, 0, 6, NOW - DAY)
        before = await here.pull({}, 2)
        here.fake.jobs.clear()
        with pytest.raises(Halted, match="forgotten"):
            await here.pull(before[-1].checkpoint)


async def test_tenable_asks_again_for_a_chunk_that_is_no_json_and_never_skips_one() -> None:
    async with scene("tenable") as here:
        fill("tenable", here.fake, 0, 6, NOW - DAY)
        here.fake.broken = {2}
        assert len(here.ids(await here.pull({}))) == 12
        here.fake.failed = {2}
        with pytest.raises(Halted, match="couldn't make 1 chunks"):
            await here.pull({})


async def test_tenable_brings_what_is_fixed_and_assets_that_are_gone() -> None:
    async with scene("tenable") as here:
        here.fake.put(1, int(NOW - DAY), "FIXED")
        here.fake.assets = [
            tenable.asset(1, int(NOW - DAY), deleted=int(NOW - DAY)),
            tenable.asset(2, int(NOW - DAY), terminated=int(NOW - DAY)),
        ]
        made = here.records(await here.pull({}))
        assert {each.status for each in made if isinstance(each, Finding)} == {"fixed"}
        assert all(each.deleted for each in made if isinstance(each, VendorAsset))


async def test_tenable_goes_back_as_far_as_is_wanted_and_asks_only_for_the_wanted_severities() -> None:
    async with scene("tenable", days=10, severities=["high"]) as here:
        here.fake.put(1, int(NOW - 5 * DAY))
        here.fake.put(2, int(NOW - 50 * DAY))
        here.fake.put(3, int(NOW - 5 * DAY), severity="info")
        assert len(here.ids(await here.pull({}))) == 1


async def test_qualys_waits_as_long_as_its_header_says() -> None:
    async with scene("qualys") as here:
        fill("qualys", here.fake, 0, 2, NOW - DAY)
        here.fake.faults.append(qualys.limit(23))
        await here.pull({})
        assert 23.0 in here.waits
        here.fake.faults.append(qualys.limit(3000))
        with pytest.raises(Halted) as halted:
            await here.pull({})
        assert isinstance(halted.value.outcome, Retry)
        assert halted.value.outcome.after == 3000.0


async def test_qualys_asks_for_each_row_of_the_knowledgebase_once() -> None:
    async with scene("qualys", hosts=2) as here:
        fill("qualys", here.fake, 0, 9, NOW - DAY)
        done = await here.pull({})
        assert sorted(here.fake.asked_qids) == sorted(here.fake.rows)
        await here.pull(done[-1].checkpoint)
        assert sorted(here.fake.asked_qids) == sorted(here.fake.rows)


async def test_qualys_takes_the_rows_again_that_were_under_way_when_kafka_failed() -> None:
    async with scene("qualys", hosts=2) as here:
        fill("qualys", here.fake, 0, 3, NOW - DAY)
        pages = await here.pull({})
        lost = await here.pull({}, 2)  # the page of detections was never acknowledged
        after = await here.pull(lost[0].checkpoint)
        assert here.ids(after) >= {f"qid:{qid}" for qid in here.fake.rows}
        assert here.ids([lost[0], *after]) == here.ids(pages)


async def test_qualys_brings_rows_of_the_knowledgebase_that_changed() -> None:
    async with scene("qualys") as here:
        fill("qualys", here.fake, 0, 2, NOW - DAY)
        done = await here.pull({})
        here.fake.now += DAY
        here.fake.rows[38000] = "2026-03-02T20:00:00Z"
        assert here.ids(await here.pull(done[-1].checkpoint)) == {"qid:38000"}


@pytest.mark.parametrize("broken", [lambda body: body[: len(body) // 2], lambda _: b"<html>Log in</html>"])
async def test_a_page_of_qualys_that_is_none_or_only_half_is_never_the_last_one(
    broken: Callable[[bytes], bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    async with scene("qualys", assets=False, knowledge=False, hosts=2) as here:
        fill("qualys", here.fake, 0, 5, NOW - DAY)
        before = await here.pull({}, 1)
        answer = here.fake.answer
        monkeypatch.setattr(here.fake, "answer", lambda call: Reply(200, {}, broken(answer(call).body)))
        pages, halted = await here.pull_until_halted(before[-1].checkpoint)
        assert (pages, isinstance(halted.outcome, Retry)) == ([], True)
        monkeypatch.setattr(here.fake, "answer", answer)
        after = await here.pull(before[-1].checkpoint)
        assert len(here.ids([*before, *after])) == 15


async def test_qualys_says_what_the_subscription_lacks() -> None:
    async with scene("qualys") as here:
        here.fake.entitled = False
        outcome = await checked(here.connector, here.way)
        assert isinstance(outcome, Config)
        assert "KnowledgeBase" in outcome.words
    async with scene("qualys", knowledge=False) as here:
        here.fake.entitled = False
        assert isinstance(await checked(here.connector, here.way), Ok)
