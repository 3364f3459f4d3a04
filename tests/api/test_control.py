"""The control paths of the API on a real broker: read, written, refused; and no planted secret in anything written."""

import logging
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition

from agents.control import kinds, topics
from api.app import create_app
from api.state import Alone
from queries.policy import load_all
from streams.admin import ensure_topics
from streams.alerts import Alert, AlertPolicy, AlertResource, write
from streams.control import Control, Keys
from streams.control.access import user_of
from streams.control.accounts import Seen, register
from streams.kafka import client_config
from streams.settings import Settings
from streams.store import Store
from streams.store.alerts import Row, put
from streams.topics import DELIVERIES, full_name

pytestmark = pytest.mark.kafka

TOKEN = "t" * 43
ROOT = "http://tidegate/api/tidegate/v1/control"
SSH = "aws-security-group-ssh-open"
HOOK = {
    "name": "Hook",
    "type": "webhook",
    "settings": {"url": "https://hooks.example/s3cret-url", "headers": {"X-Key": "s3cret-header"}},
}
RULE = {"name": "Critical", "severities": ["critical"], "channels": [{"integration": "hook"}]}
Api = httpx.AsyncClient


@pytest.fixture
async def control(settings: Settings) -> AsyncIterator[Control]:
    """The control plane of every kind that there is, with a key of its own."""
    keys = Keys.load("", None, settings.data / "secrets.key", create=True)
    started = Control(settings, kinds(load_all()), keys)
    await started.start()
    yield started
    await started.stop()


@pytest.fixture
async def api(control: Control, settings: Settings) -> AsyncIterator[Api]:
    """A client of the API that has it."""
    app = create_app(Alone(settings, None), TOKEN, policies={}, control=control)
    headers = {"authorization": f"Bearer {TOKEN}"}
    async with Api(transport=httpx.ASGITransport(app), base_url=ROOT, headers=headers) as client:
        yield client


async def test_an_object_is_put_shown_patched_and_deleted_with_its_version(api: Api) -> None:
    put = await api.put("/integrations/hook", json=HOOK)
    assert put.status_code == 200
    assert put.headers["etag"] == f'"{put.json()["version"]}"'
    assert put.json()["object"]["settings"] == {"url": "**********", "headers": {"X-Key": "**********"}}
    assert (await api.get("/integrations/hook")).json() == put.json()
    assert [each["id"] for each in (await api.get("/integration")).json()["objects"]] == ["hook"]

    patched = await api.patch("/integration/hook", json={"enabled": False}, headers={"if-match": put.headers["etag"]})
    assert patched.json()["object"]["enabled"] is False
    for method in ("PUT", "PATCH", "DELETE"):
        stale = await api.request(method, "/integrations/hook", json=HOOK, headers={"if-match": put.headers["etag"]})
        assert (stale.status_code, stale.json()["error"]["code"]) == (412, "stale")
        assert (
            f"you changed version {put.json()['version']}, and it is at version {patched.json()['version']} now"
            in (stale.json()["error"]["message"])
        )
    gone = await api.delete("/integrations/hook", headers={"if-match": patched.headers["etag"]})
    assert (gone.status_code, gone.json()["action"]) == (200, "deleted")
    assert (await api.get("/integrations/hook")).status_code == 404


async def test_what_refers_to_what_is_kept_whole(api: Api) -> None:
    said = await api.put("/alert-rules/critical", json=RULE)
    assert said.status_code == 422
    assert "channels[0].integration: there is no integration 'hook'; known: none is there" in said.text
    await api.put("/integrations/hook", json=HOOK)
    await api.put("/alert-rules/critical", json=RULE)
    said = await api.put("/alert-rules/other", json={"name": "Other", "policies": ["aws-security-group-ssh-opened"]})
    assert f"there is no policy 'aws-security-group-ssh-opened'; did you mean {SSH}?" in said.text
    assert (await api.get("/integrations/hook")).json()["used_by"] == ["alert-rule critical: channels[0].integration"]
    said = await api.delete("/integrations/hook")
    assert said.status_code == 409
    assert "alert-rule critical (channels[0].integration)" in said.text


async def test_a_shipped_policy_is_disabled_and_comes_back(api: Api, control: Control) -> None:
    answer = await api.get(f"/policies/{SSH}")
    assert answer.status_code == 200, answer.text
    shipped = answer.json()
    assert (shipped["version"], shipped["origin"]) == (0, "shipped")
    said = await api.patch(f"/policies/{SSH}", json={"enabled": False}, headers={"if-match": "0"})
    assert said.json()["object"] == {**shipped["object"], "enabled": False}
    assert control.objects("policy")[SSH].enabled is False
    await api.delete(f"/policies/{SSH}")
    assert (await api.get(f"/policies/{SSH}")).json() == shipped


async def test_objects_are_applied_as_one_twice_and_pruned(api: Api) -> None:
    objects = [
        {"kind": "alert-rules", "document": {"id": "critical", **RULE}, "source": "b.yaml"},
        {"kind": "integration", "document": {"id": "hook", **HOOK}, "source": "a.yaml"},
        {"kind": "account-group", "document": {"name": "Größte Konten"}},
    ]
    dry = (await api.post(ROOT, json={"objects": objects, "dry_run": True})).json()
    assert [(c["kind"], c["id"], c["action"]) for c in dry["changes"]] == [
        ("account-group", "grosste-konten", "created"),
        ("integration", "hook", "created"),
        ("alert-rule", "critical", "created"),
    ]
    assert (await api.get("/integrations")).json() == {"objects": []}
    await api.post(ROOT, json={"objects": objects})
    again = (await api.post(ROOT, json={"objects": objects, "prune": True})).json()
    assert {change["action"] for change in again["changes"]} == {"unchanged"}

    wrong = [
        {**objects[0], "document": {"id": "critical", **RULE, "severities": ["critcal"]}},
        {"kind": "x", "document": {}},
    ]
    said = await api.post(ROOT, json={"objects": wrong})
    assert (said.status_code, "there is no kind 'x'" in said.text) == (422, True)
    said = await api.post(ROOT, json={"objects": wrong[:1]})
    assert "b.yaml: alert-rule critical: severities[0]: Input should be" in said.text
    assert "did you mean critical?" in said.text

    await api.put("/integrations/other", json={**HOOK, "name": "By hand"})
    pruned = (await api.post(ROOT, json={"objects": objects[2:], "prune": True})).json()
    assert [(c["id"], c["action"]) for c in pruned["changes"][1:]] == [("hook", "deleted"), ("critical", "deleted")]
    assert [each["id"] for each in (await api.get("/integrations")).json()["objects"]] == ["other"]


async def test_access_keys_let_their_user_in_until_they_expire(api: Api, control: Control) -> None:
    await api.put("/users/ann@example.com", json={"name": "Ann", "role": "admin"})
    order = {"user": "ann@example.com", "name": "laptop", "expires": "2030-01-01T00:00:00Z"}
    made = (await api.post("/access-keys", json=order)).json()
    user = await user_of(control, made["id"], made["secret"], now=1_800_000_000)
    assert user is not None and (user.id, user.role) == ("ann@example.com", "admin")
    assert await user_of(control, made["id"], made["secret"], now=1_900_000_000) is None
    assert await user_of(control, made["id"], made["secret"] + "x", now=1_800_000_000) is None
    assert await user_of(control, "nobody", made["secret"], now=1_800_000_000) is None
    listed = await api.get("/access-keys")
    assert made["secret"] not in listed.text and "$argon2" not in listed.text
    await api.patch("/users/ann@example.com", json={"enabled": False})
    assert await user_of(control, made["id"], made["secret"], now=1_800_000_000) is None
    wrong = await api.put("/access-keys/mine", json={"name": "n", "user": "ann@example.com", "secret": "pl4in"})
    assert (wrong.status_code, "pl4in" in wrong.text) == (422, False)


async def test_accounts_are_registered_when_they_are_first_seen(control: Control) -> None:
    seen = [Seen("123456789012", "aws"), Seen("my-project", "gcp")]
    assert (await register(control, seen), await register(control, seen)) == (2, 0)
    account = control.objects("cloud-account")["123456789012"]
    assert (account.name, account.cloud, account.groups, account.enabled) == ("123456789012", "aws", ("default",), True)
    assert control.held("cloud-account", "my-project").origin == "data"


async def test_only_the_operator_writes_references_to_the_machine(
    control: Control, monkeypatch: pytest.MonkeyPatch
) -> None:
    from streams.control import Edit
    from streams.control.errors import Refused

    monkeypatch.setenv("HOOK_URL", "https://hooks.example/s3cret-environment")
    document = {**HOOK, "settings": {"url": "env:HOOK_URL"}}
    with pytest.raises(Refused, match=r"settings.url: env: is the operator's to write"):
        await control.change([Edit("integration", "hook", document)], by="ann", operator=False)
    await control.change([Edit("integration", "hook", document)], by="ann")
    await control.change([Edit("integration", "hook", {"name": "H"}, merge=True)], by="ann", operator=False)
    assert control.objects("integration")["hook"].sink.url.get_secret_value().endswith("s3cret-environment")


async def test_what_is_wrong_is_said_with_the_way_out(api: Api) -> None:
    for method, path, body, status, said in (
        ("GET", "/integratoins", None, 404, "did you mean integrations?"),
        ("GET", "/integrations/none", None, 404, "there is no integration 'none'"),
        ("DELETE", "/policies/none", None, 404, "there is no policy none"),
        ("DELETE", f"/policies/{SSH}", None, 422, "it comes with Tidegate and can't go: set `enabled: false`"),
        ("PATCH", "/users/none", {"name": "x"}, 404, "there is no user none to change"),
        ("PUT", "/users/a", [1], 422, "valid dictionary"),
        ("PUT", "/users/a", {"name": "A", "role": "root"}, 422, "role: Input should be"),
        ("PUT", "/policies/p", {"name": "P"}, 422, "severity: missing: How bad a violation is."),
        ("PUT", "/saved-searches/s", {"name": "S", "query": "config from x"}, 422, "query: "),
        ("PUT", "/integrations/i", {"type": "webhok", "settings": {}}, 422, "did you mean webhook?"),
        ("POST", "/access-keys", {"user": "nobody", "name": "n"}, 422, "there is no user 'nobody'"),
    ):
        answer = await api.request(method, path, json=body)
        assert (answer.status_code, said in answer.json()["error"]["message"]) == (status, True), answer.text
    wrong = await api.put("/users/a", json={"name": "A", "role": "admin"}, headers={"if-match": "x"})
    assert "If-Match: 'x': wanted a version as ETag gives it" in wrong.text


async def test_changes_are_listed_the_newest_first_by_kind_id_and_user(api: Api, control: Control) -> None:
    assert (await api.get("/audit-log")).json() == {"lines": []}
    await api.put("/integrations/hook", json=HOOK)
    await api.patch("/integrations/hook", json={"enabled": False})
    await register(control, [Seen("123456789012", "aws")])
    lines = (await api.get("/audit-log")).json()["lines"]
    assert [(line["by"], line["action"], line["kind"], line["id"]) for line in lines] == [
        ("tidegate", "created", "cloud-account", "123456789012"),
        ("local token", "changed", "integration", "hook"),
        ("local token", "created", "integration", "hook"),
    ]
    assert lines[1]["changes"] == [{"path": "enabled", "before": True, "after": False}]
    for query in ("kind=integrations&limit=1", "id=hook&by=local%20token&limit=1"):
        assert (await api.get(f"/audit-log?{query}")).json()["lines"] == lines[1:2]


async def test_rules_say_why_they_cover_an_alert_or_not(control: Control, settings: Settings) -> None:
    store = Store.open(settings.store_file, memory="64MB", threads=1)
    alert = Alert(
        id="P-1",
        policy=AlertPolicy(id=SSH, name="SSH", severity="high"),
        resource=AlertResource(id="sg-1", account="123456789012", cloud="aws"),
        status="open",
        reason="NEW_ALERT",
        first_seen=1,
        last_seen=1,
        opened=1,
        updated=1,
        seq=1,
    )
    put(store.cursor(), [Row(0, alert, write(alert))])
    app = create_app(Alone(settings, store), TOKEN, control=control)
    async with Api(
        transport=httpx.ASGITransport(app), base_url=ROOT, headers={"authorization": f"Bearer {TOKEN}"}
    ) as api:
        await api.put("/integrations/hook", json=HOOK)
        await api.put("/alert-rules/critical", json=RULE)
        await api.put("/alert-rules/high", json={**RULE, "name": "High", "severities": ["high"]})
        said = (await api.get(ROOT.replace("/control", "/alerts/P-1/rules"))).json()
        missing = await api.get(ROOT.replace("/control", "/alerts/P-2/rules"))
        high, other = (ROOT.replace("/control", f"/alert-rules/{id}/tell") for id in ("high", "critical"))
        counted = [(await api.post(each, json={"dry_run": True})).json() for each in (high, other)]
        nobody = await api.post(high, json={"integration": "nobody"})
        await ensure_topics(settings, [DELIVERIES])
        told = (await api.post(high, json={"integration": "hook"})).json()
    store.close()
    assert [(each["open_alerts"], each["messages"], each["sent"]) for each in counted] == [(1, 1, False), (0, 0, False)]
    assert (nobody.status_code, told["messages"], told["sent"]) == (404, 1, True)
    assert [(rule["id"], rule["covers"], rule["why_not"]) for rule in said["rules"]] == [
        ("default", True, []),
        ("high", True, []),
        ("critical", False, ["severities: high isn't among critical"]),
    ]
    assert [rule["channels"][0]["told"] for rule in said["rules"][1:]] == [True, False]
    assert (missing.status_code, "there is no alert 'P-2'" in missing.text) == (404, True)


async def test_a_rule_whose_ticket_nobody_will_close_is_warned_of(api: Api) -> None:
    pagerduty = {"name": "PD", "type": "pagerduty", "settings": {"integration_key": "a" * 32}}
    objects = [
        {"kind": "integration", "document": {"id": "pd", **pagerduty}},
        {"kind": "alert-rule", "document": {"id": "r", "name": "R", "channels": [{"integration": "pd"}]}},
    ]
    done = (await api.post(ROOT, json={"objects": objects})).json()["changes"]
    assert [len(change["warnings"]) for change in done] == [0, 1]
    assert "add `resolved` to its states" in (await api.get("/alert-rules/r")).json()["warnings"][0]


async def test_an_integration_is_tested_with_one_call(api: Api) -> None:
    document = {**HOOK, "settings": {"url": "https://127.0.0.1:9/s3cret"}}
    await api.put("/integrations/hook", json=document)
    said = await api.post("/integrations/hook/test")
    assert said.json() == {"ok": False, "outcome": "config", "message": said.json()["message"]}
    assert "127.0.0.1, which is no public address" in said.text and "s3cret" not in said.text


async def test_no_planted_secret_is_in_anything_that_is_written(
    api: Api, control: Control, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    planted = ["pl4nted-url", "pl4nted-header", "pl4nted-token", "pl4nted-later", "pl4nted-wrong"]
    document: dict[str, Any] = {
        "name": "Hook",
        "type": "webhook",
        "settings": {
            "url": "https://hooks.example/pl4nted-url",
            "token": "pl4nted-token",
            "headers": {"X-Key": "pl4nted-header"},
        },
    }
    answers = [
        await api.put("/integrations/hook", json=document),
        await api.put("/integrations/hook", json=document | {"settings": {"url": "pl4nted-wrong"}}),
        await api.put("/integrations/hook", json=document | {"settings": {"ulr": "https://x.example/pl4nted-wrong"}}),
        await api.put("/integrations/hook", json=document | {"settings": "pl4nted-wrong"}),
        await api.put("/integrations/hook", json=document | {"url": "https://x.example/pl4nted-wrong"}),
        await api.patch("/integrations/hook", json={"settings": {"headers": {"X Y": "pl4nted-wrong"}}}),
        await api.patch("/integrations/hook", json={"settings": {"token": "pl4nted-later"}}),
        await api.post(ROOT, json={"objects": [{"kind": "integration", "document": {"id": "hook", **document}}]}),
        await api.post(
            ROOT, json={"objects": [{"kind": "integration", "document": {"id": "h", **document, "type": "x"}}]}
        ),
        await api.get("/integrations"),
        await api.get("/integrations/hook", params={"brief": True}),
        await api.post("/keys/rotate"),
        await api.delete("/integrations/hook"),
    ]
    assert [answer.status_code for answer in answers] == [200, *[422] * 5, 200, 200, 422, 200, 200, 200, 200]
    again = await api.put("/integrations/hook", json=document)
    made = control.objects("integration")["hook"]
    shown = [answer.text for answer in [*answers, again]]
    shown += [
        repr(made),
        str(made),
        made.model_dump_json(),
        repr(made.model_dump()),
        repr(control.held("integration", "hook")),
    ]
    shown += [repr(control.state()), caplog.text]
    shown += [path.read_text(errors="replace") for path in settings.data.rglob("*") if path.is_file()]
    topics_read = await _everything(settings)
    assert b"sealed:1:" in topics_read and b'"action":"changed"' in topics_read
    for secret in planted:
        assert not any(secret in text for text in shown)
        assert secret.encode() not in topics_read
    assert made.sink.token.get_secret_value() == "pl4nted-token"
    assert Path(settings.data / "secrets.key").stat().st_mode & 0o777 == 0o600


async def _everything(settings: Settings) -> bytes:
    """Return all keys and values of every topic of the control plane, what was taken back too."""
    parts = [TopicPartition(full_name(settings, topic), 0) for topic in topics()]
    consumer = AIOKafkaConsumer(**client_config(settings), enable_auto_commit=False)
    await consumer.start()
    try:
        consumer.assign(parts)
        await consumer.seek_to_beginning(*parts)
        ends = await consumer.end_offsets(parts)
        found = b""
        while any([await consumer.position(part) < end for part, end in ends.items()]):
            for batch in (await consumer.getmany(timeout_ms=100)).values():
                found += b"\n".join((record.key or b"") + (record.value or b"") for record in batch)
        return found
    finally:
        await consumer.stop()
