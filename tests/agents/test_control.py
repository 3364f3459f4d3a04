"""Every kind that people set up: its example can be read, is documented, and fits the schema that editors get."""

import json
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from pydantic import TypeAdapter

from agents.control import kinds, topics
from agents.control_schema import schema
from agents.sinks import SINKS
from agents.sinks._base import Sink, secrets
from docs.kinds import page
from queries.policy import load_all
from streams.control.check import read
from streams.control.documents import at
from streams.control.kinds import Kind
from streams.control.plan import references
from streams.control.show import shown

KINDS = kinds(load_all())


@pytest.fixture(autouse=True)
def _where_the_examples_say_that_secrets_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOC_HOOK_URL", "https://hooks.example/soc")
    monkeypatch.setenv("TENABLE_ACCESS_KEY", "4b1f00d5" * 8)
    monkeypatch.setenv("TENABLE_SECRET_KEY", "5ec12e75" * 8)


@pytest.mark.parametrize("kind", KINDS.values(), ids=lambda kind: kind.name)
def test_the_example_can_be_read_and_fits_the_schema(kind: Kind) -> None:
    made = read(kind, kind.example["id"], kind.example)
    assert made.id == kind.example["id"]  # type: ignore[attr-defined] # every model has it
    checked = Draft202012Validator(schema(kind))
    checked.check_schema(schema(kind))
    for document in (kind.example, shown(kind, made), shown(kind, made, brief=True)):
        assert [error.message for error in checked.iter_errors({"kind": kind.name, **document})] == []
        assert [error.message for error in checked.iter_errors({"kind": kind.plural, **document})] == []
    assert list(checked.iter_errors({"kind": kind.name, **kind.example, "colour": 1}))
    assert list(checked.iter_errors({"kind": "other", **kind.example}))


@pytest.mark.parametrize("kind", KINDS.values(), ids=lambda kind: kind.name)
def test_every_field_is_explained_and_every_reference_leads_to_a_kind(kind: Kind) -> None:
    for name, field in kind.model.model_fields.items():
        assert field.description, name
    assert set(kind.refers.values()) <= set(KINDS)
    made = read(kind, kind.example["id"], kind.example)
    for _, other, id in references(kind, made):
        assert id == KINDS[other].example.get("id") or id in KINDS[other].shipped


@pytest.mark.parametrize("name", SINKS)
def test_secrets_of_every_destination_are_found_wherever_its_settings_have_them(name: str) -> None:
    sink = SINKS[name]
    settings = {each: field.examples[0] for each, field in sink.model_fields.items() if field.examples}
    document = json.loads(json.dumps({"id": "x", "type": name, "settings": settings}, default=str))
    found = KINDS["integration"].secrets(document)
    texts = {str(at(document, path)) for path in found}
    fields = [TypeAdapter(shape).validate_python(example) for shape, example in _shown(sink)]
    assert texts == {text for field in fields for text in secrets(field) if text}


def test_topics_are_compacted_and_have_one_partition() -> None:
    assert [topic.name for topic in topics()][-1] == "audit-log"
    assert all(topic.compacted and topic.divided == "single" for topic in topics()[:-1])
    assert len({topic.name for topic in topics()}) == len(topics()) == len(KINDS) + 1


def test_every_kind_and_topic_is_on_the_page() -> None:
    text = page()
    for kind in KINDS.values():
        assert f"\n## {kind.plural}\n" in text
        assert all(f"| `{name}` |" in text for name, field in kind.model.model_fields.items() if not field.exclude)
    assert all(f"`{topic.name}`" in text for topic in topics())


def test_a_policy_that_would_not_find_all_is_refused() -> None:
    policy = KINDS["policy"]
    for rql, said in (
        (f"{policy.example['rql']} limit search records to 5", "rql: a policy finds all that violate it"),
        ("config from nowhere", "rql: "),
    ):
        with pytest.raises(Exception, match=said):
            read(policy, "p", {**policy.example, "id": "p", "rql": rql})


def _shown(sink: type[Sink]) -> list[tuple[Any, Any]]:
    """Return the type and an example of each setting of *sink* that has one."""
    return [(field.annotation, field.examples[0]) for field in sink.model_fields.values() if field.examples]
