"""What channels that are new hear of the alerts that are open already: asked, said, or from now on."""

import sys
from typing import Any, cast

import pytest
import typer

from api.cli.control_notify import Notify, channels, tell_new
from api.client import Client, Refused

HOOK, PAGER = ("hook", ""), ("pager", "t")
OPEN = {"hook": 12, "pager": 0}


class Answers:
    """An API with the rule `r` and twelve open alerts for its channel to hook."""

    def __init__(self, *, alerts: bool = True) -> None:
        self.alerts = alerts
        self.sent: list[tuple[str, dict[str, Any]]] = []

    def get(self, path: str) -> Any:
        assert path == "/control/alert-rule"
        held = [{"integration": "hook"}, {"integration": "pager", "template": "t"}]
        return {"objects": [{"id": "r", "object": {"channels": held}}, {"id": "quiet", "object": {}}]}

    def post(self, path: str, body: dict[str, Any]) -> Any:
        if not self.alerts:
            raise Refused(409, "no-alerts", "there are none here")
        if not body.get("dry_run"):
            self.sent.append((path, body))
        return {"open_alerts": OPEN[body["integration"]]}


def tell(answers: Answers, wanted: Notify | None, *, asks: bool = True, before: Any = frozenset()) -> None:
    tell_new(cast(Client, answers), {"r": before}, {"r": frozenset((HOOK, PAGER))}, wanted, asks=asks)


def at_terminal(monkeypatch: pytest.MonkeyPatch, answer: bool) -> list[str]:
    asked: list[str] = []

    def confirm(text: str) -> bool:
        asked.append(text)
        return answer

    monkeypatch.setattr(sys.stdin, "isatty", lambda: True)
    monkeypatch.setattr(typer, "confirm", confirm)
    return asked


def test_all_tells_the_new_channels_that_have_something_to_hear(capsys: pytest.CaptureFixture[str]) -> None:
    tell(answers := Answers(), Notify.all)
    assert answers.sent == [("/alert-rules/r/tell", {"integration": "hook", "template": ""})]
    assert "r: 12 open alerts are on their way to hook" in capsys.readouterr().err


@pytest.mark.parametrize("wanted", [Notify.now, None])
def test_in_a_pipe_it_is_from_now_on_and_the_count_is_said(
    wanted: Notify | None, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.stdin, "isatty", lambda: False)
    tell(answers := Answers(), wanted)
    assert answers.sent == []
    assert "hears from now on; 12 open alerts aren't told" in (said := capsys.readouterr().err)
    assert "pager" not in said, "it has nothing to hear"


@pytest.mark.parametrize("answer", [True, False])
def test_a_person_is_asked_with_the_count(answer: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = at_terminal(monkeypatch, answer)
    tell(answers := Answers(), None)
    assert asked == ["r: 12 alerts that it covers are open already: tell hook of these?"]
    assert len(answers.sent) == answer


def test_nobody_is_asked_who_has_said_it_or_wants_no_questions(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = at_terminal(monkeypatch, True)
    tell(answers := Answers(), Notify.now)
    tell(answers, None, asks=False)
    assert (asked, answers.sent) == ([], [])


def test_a_channel_that_was_there_isnt_told_again() -> None:
    tell(answers := Answers(), Notify.all, before=frozenset((HOOK, PAGER)))
    assert answers.sent == []


def test_where_there_are_no_alerts_only_who_wants_them_told_hears_why() -> None:
    tell(Answers(alerts=False), None)
    with pytest.raises(Refused):
        tell(Answers(alerts=False), Notify.all)


def test_only_rules_that_are_made_or_changed_are_looked_at() -> None:
    def change(id: str, action: str, kind: str = "alert-rule") -> dict[str, str]:
        return {"kind": kind, "id": id, "action": action}

    changes = [change("r", "changed"), change("new", "created"), change("quiet", "unchanged"), change("r", "deleted")]
    found = channels(cast(Client, Answers()), changes)
    assert found == {"new": frozenset(), "r": frozenset((HOOK, PAGER))}
    assert channels(cast(Client, None), [change("p", "created", "policy")]) == {}
