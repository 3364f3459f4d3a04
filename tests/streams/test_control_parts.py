"""The parts of the control plane without a broker: documents, seals, what is checked and how it is said."""

import stat
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.control.apply import Given, edits
from streams.control.audit import line as audit_line
from streams.control.check import opened, read, sealed, unmasked
from streams.control.documents import Difference, differences, found, patch_between, patched
from streams.control.errors import Missing, Refused, SealError
from streams.control.kinds import find_kind
from streams.control.plan import Edit, plan
from streams.control.record import Held
from streams.control.seal import MASK, Keys, new_key
from streams.control.show import shown
from streams.errors import SettingsError
from tests.streams.control_kinds import KINDS, LINE, keys, line, own_keys

VALUES = st.recursive(
    st.booleans() | st.integers(0, 9) | st.sampled_from("abc"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("xyz"), inner, max_size=3),
    max_leaves=6,
)
DOCUMENTS = st.dictionaries(st.sampled_from("xyz"), VALUES, max_size=3)
EMPTY: dict[str, dict[str, Any]] = {name: {} for name in KINDS}


@given(DOCUMENTS, DOCUMENTS)
def test_the_patch_between_two_documents_leads_from_one_to_the_other(one: Any, other: Any) -> None:
    assert patched(one, patch_between(one, other)) == other
    assert patch_between(one, one) == {}


@given(DOCUMENTS, DOCUMENTS)
def test_documents_differ_somewhere_or_are_the_same(one: Any, other: Any) -> None:
    assert bool(list(differences(one, other))) == (
        repr(sorted(one.items())) != repr(sorted(other.items())) or one != other
    )


TEXTS = st.sampled_from(["", "a", "env:HOME", "sealed:1:x:y", MASK + "x", "ü\n"])
LAWS = st.fixed_dictionaries(
    {"name": st.sampled_from(["Mine", "Other"]), "text": TEXTS},
    optional={"enabled": st.booleans(), "labels": st.lists(TEXTS, max_size=2)},
)
LINES = st.fixed_dictionaries(
    {"name": st.just("L"), "url": TEXTS},
    optional={
        "port": st.integers(1, 9),
        "extra": st.dictionaries(TEXTS, TEXTS, max_size=2),
        "headers": st.lists(st.fixed_dictionaries({"name": TEXTS, "value": TEXTS}), max_size=2),
    },
)


@given(st.sampled_from(["first", "new"]), LAWS)
def test_what_is_kept_of_a_shipped_object_reads_as_what_was_wanted(id: str, wanted: dict[str, Any]) -> None:
    _reads_as_wanted("law", id, wanted)


@given(LINES)
def test_what_is_kept_sealed_reads_as_what_was_wanted(wanted: dict[str, Any]) -> None:
    _reads_as_wanted("line", "a", wanted)


def _reads_as_wanted(name: str, id: str, wanted: dict[str, Any]) -> None:
    kind, ours = KINDS[name], keys()
    shipped = {
        id: Held(kind=name, id=id, version=0, at=0, by="", origin="shipped", stored={}, object=made)
        for id, made in kind.shipped.items()
    }
    (planned,) = plan(KINDS, ours, {**EMPTY, name: shipped}, [Edit(name, id, wanted)], "api")
    assert planned.stored is not None
    lying = orjson.loads(orjson.dumps(planned.stored))
    base = kind.shipped[id].model_dump(mode="json") if id in kind.shipped else {}
    again = read(kind, id, opened(kind, id, patched(base, lying) if base else lying, ours))
    assert again == planned.after == read(kind, id, wanted)
    held = Held(kind=name, id=id, version=1, at=0, by="", origin="api", stored=lying, object=again)
    (twice,) = plan(KINDS, ours, {**EMPTY, name: {id: held}}, [Edit(name, id, wanted)], "api")
    assert (twice.action, twice.written, twice.differences) == ("unchanged", False, [])
    masked = shown(kind, again)
    (kept,) = plan(KINDS, ours, {**EMPTY, name: {id: held}}, [Edit(name, id, masked)], "api")
    assert kept.after == again


def test_what_stands_at_a_pattern_is_found_with_its_path() -> None:
    document = {"channels": [{"to": "a"}, {"other": 1}, {"to": "b"}], "names": ["x", "y"]}
    assert [id for _, id in found(document, "channels[].to")] == ["a", "b"]
    assert list(found(document, "names[]")) == [(("names", 0), "x"), (("names", 1), "y")]
    assert list(found(document, "none[].to")) == []


SECRETS = {
    "url": "https://hooks.example/s3cret-url",
    "headers": [{"name": "Authorization", "value": "s3cret-header"}],
    "extra": {"X": "s3cret-extra"},
}


def test_secrets_are_sealed_at_every_depth_and_opened_only_where_they_were() -> None:
    ours, document = keys(), line(**SECRETS)
    lying = sealed(LINE, "a", document, ours)
    assert "s3cret" not in str(lying)
    assert opened(LINE, "a", lying, ours) == document
    for wrong_id, wrong_place in (("b", lying), ("a", {**lying, "url": lying["headers"][0]["value"]})):
        with pytest.raises(SealError, match=r"line [ab]: url: sealed with key .* for another place, or damaged"):
            opened(LINE, wrong_id, wrong_place, ours)
    assert lying["url"] != sealed(LINE, "a", document, ours)["url"]


def test_references_and_empty_texts_stay_as_they_are() -> None:
    document = line(url="env:HOOK", extra={"a": "file:/run/secret", "b": ""})
    assert sealed(LINE, "a", document, Keys([])) == document


def test_a_secret_shows_as_a_mask_that_written_back_means_itself() -> None:
    made = read(LINE, "a", line(**SECRETS, note="plain"))
    seen = shown(LINE, made)
    assert seen["url"] == seen["headers"][0]["value"] == seen["extra"]["X"] == MASK
    assert "s3cret" not in repr(made) + str(made) + str(seen) + str(shown(LINE, made, brief=True))
    assert unmasked(LINE, "a", seen, line(**SECRETS)) == {**seen, **SECRETS}
    with pytest.raises(Refused, match=r"line a: url: \*+ stands for a secret that is there, and none is"):
        unmasked(LINE, "a", seen, {})


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ({"name": "X"}, "line a: url: missing"),
        (line(prot=1), "line a: prot: there is no such field; did you mean port?"),
        (line(port="s3cret"), "line a: port: Input should be a valid integer"),
        (line(port=0), "line a: port: Input should be greater than or equal to 1, got 0"),
        (line(headers=[{"name": "n", "valeu": "s3cret"}]), "line a: headers[0].value: missing"),
        (line(headers="s3cret-header"), "line a: headers: Input should be a valid tuple"),
        (line(url=["s3cret"]), "line a: url: Input should be a valid string"),
        (line(id="b"), "line a: id: 'b' within the document: leave it out, or make it the same"),
    ],
)
def test_what_is_wrong_is_said_with_its_field_and_never_with_a_secret(document: dict[str, Any], said: str) -> None:
    with pytest.raises(Refused) as refused:
        read(LINE, "a", document)
    assert refused.value.lines[0].startswith(said)
    assert "s3cret-" not in str(refused.value)
    assert "s3cret" not in str(refused.value) or "port" in said


@pytest.mark.parametrize("id", ["", " a", "a b", "a/b", "a\n", "é", "x" * 201, "-a", "a."])
def test_an_id_that_would_not_fit_everywhere_is_refused(id: str) -> None:
    with pytest.raises(Refused, match="id: wanted letters, digits"):
        read(LINE, id, line())


@pytest.mark.parametrize("id", ["a", "123456789012", "ann@example.com", "x" * 200, "projects:my-app_1"])
def test_ids_of_accounts_people_and_policies_fit(id: str) -> None:
    assert read(LINE, id, line()).id == id  # type: ignore[attr-defined] # a Line


def test_all_that_is_wrong_with_several_edits_is_said_at_once() -> None:
    edits = [
        Edit("line", "a", {"name": "A"}),
        Edit("line", "b", line(port=0)),
        Edit("line", "b", line()),
        Edit("rule", "r", {"name": "R", "lines": ["c"], "colour": 1}),
    ]
    with pytest.raises(Refused) as refused:
        plan(KINDS, keys(), EMPTY, edits, "api")
    assert [line.partition(":")[0] for line in refused.value.lines] == ["line b", "line a", "line b", "rule r"]


@pytest.mark.parametrize(
    ("note", "said"),
    [("x" * 600_000, "it has 600"), ("x" * 600_000, "bytes as JSON, the most is 524288"), ("\ud800", "note: ")],
)
def test_what_no_record_can_hold_is_refused(note: str, said: str) -> None:
    with pytest.raises(Refused, match=said):
        plan(KINDS, keys(), EMPTY, [Edit("line", "a", line(note=note))], "api")


def test_a_line_of_the_log_with_large_changes_keeps_their_paths() -> None:
    (planned,) = plan(KINDS, keys(), EMPTY, [Edit("law", "l", {"name": "L", "text": "x" * 300_000})], "api")
    written = audit_line(at=1, by="ann", action="changed", kind="law", id="l", planned=planned)
    assert orjson.loads(written)["changes"][-1]["after"] == "x" * 300_000
    twice = replace(planned, differences=[Difference("text", "x" * 300_000, "y" * 300_000)])
    written = audit_line(at=1, by="ann", action="changed", kind="law", id="l", planned=twice)
    assert orjson.loads(written)["changes"] == [{"path": "text"}]


def test_files_give_ids_or_take_them_from_names_and_numbers_need_quotes() -> None:
    given = [Given("rules", {"name": "My Größe"}), Given("line", line(id="a"), "a.yaml")]
    made, sources = edits(KINDS, EMPTY, given, prune=False)
    assert [(edit.kind, edit.id) for edit in made] == [("line", "a"), ("rule", "my-grosse")]
    assert sources == {"line a": "a.yaml", "rule my-grosse": ""}
    with pytest.raises(Refused) as refused:
        edits(KINDS, EMPTY, [Given("line", {"id": 12}, "b.yaml"), Given("line", {}), Given("lien", {})], prune=True)
    assert refused.value.lines == (
        "b.yaml: line: id: 12: wanted a text: put it in quotes",
        "line: id: missing, and no name to make it of",
        "there is no kind 'lien'; did you mean line?",
    )


def test_two_of_a_name_are_refused_and_a_name_in_a_reference_is_told_its_id() -> None:
    edits = [Edit("line", "a", line(name="Mine")), Edit("line", "b", line(name="Mine"))]
    with pytest.raises(Refused, match="line a, b: name: 'Mine' is the name of all of them"):
        plan(KINDS, keys(), EMPTY, edits, "api")
    edits = [Edit("line", "a1", line(name="Mine")), Edit("rule", "r", {"name": "R", "lines": ["Mine", "Mime"]})]
    with pytest.raises(Refused) as refused:
        plan(KINDS, keys(), EMPTY, edits, "api")
    assert refused.value.lines == (
        "rule r: lines[0]: there is no line 'Mine'; that is the name of a1: write the id",
        "rule r: lines[1]: there is no line 'Mime'; did you mean a1 (Mine)?",
    )


def test_a_kind_is_found_in_the_singular_and_plural_and_told_with_the_nearest() -> None:
    assert find_kind(KINDS, "Lines") is find_kind(KINDS, "line") is LINE
    with pytest.raises(Missing, match=r"there is no kind 'lnies'; did you mean lines\?"):
        find_kind(KINDS, "lnies")
    with pytest.raises(Missing, match="kinds: lines, rules, laws"):
        find_kind(KINDS, "zzzzzz")


def test_a_key_is_made_once_for_its_owner_alone(tmp_path: Path) -> None:
    made = own_keys(tmp_path / "data")
    file = tmp_path / "data" / "secrets.key"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    file.chmod(0o644)
    assert own_keys(tmp_path / "data").current == made.current
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert Keys.load("", None, tmp_path / "none", create=False).open("env:X", "p") == "env:X"


def test_keys_of_the_operator_come_from_a_text_or_a_file_and_the_first_seals(tmp_path: Path) -> None:
    old, new = new_key(), new_key()
    (tmp_path / "keys").write_text(f"# two\n{new}\n{old}\n")
    both = Keys.load("", tmp_path / "keys", tmp_path / "own", create=True)
    assert both.current == Keys.load(f"{new}, {old}", None, tmp_path / "own", create=True).current
    assert both.open(Keys([old]).seal("x", "p"), "p") == "x"
    assert not (tmp_path / "own").exists()
    with pytest.raises(SealError, match="the keys are the operator's: put the new one first"):
        both.add()


def test_a_wrong_key_is_told_without_being_shown(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="TIDEGATE_SECRETS_KEY: key 2 isn't 32 bytes in base64") as told:
        Keys.load(f"{new_key()},s3cret", None, tmp_path, create=False)
    assert "s3cret" not in str(told.value)
    (tmp_path / "secrets.key").write_text("s3cret\n")
    with pytest.raises(SettingsError, match=r"secrets\.key: key 1 isn't 32 bytes"):
        own_keys(tmp_path)
    with pytest.raises(SettingsError, match="TIDEGATE_SECRETS_KEY_FILE: can't read"):
        Keys.load("", tmp_path / "none", tmp_path, create=False)
