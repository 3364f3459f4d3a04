"""Every operator of json.rule, stated once: its spellings, what it takes, its words, its SQL, a document for and one
against it.

Parser, checker, compiler, docs/rql.md and the contract test read this table; a new operator is a new entry.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

from queries import predicates as p

Takes = Literal["nothing", "value", "values", "amount", "type"]
"""What stands on the right: nothing; one value; a list or one value; a number; the name of a JSON type. A path may
stand for a value.
"""


@dataclass(frozen=True, slots=True)
class Operator:
    """One operator. *negates* names the operator of which it is the opposite, and which then has the *predicate*."""

    name: str
    spellings: tuple[str, ...]
    takes: Takes
    doc: str
    example: str
    true_of: object
    false_of: object
    predicate: p.Predicate | None = None
    negates: str = ""


def _all() -> Iterator[Operator]:
    yield from _equality()
    yield from _texts()
    yield from _presence()
    yield from _lists()
    yield from _numbers()
    yield from _quantified()


def _equality() -> Iterator[Operator]:
    yield Operator(
        "equals",
        ("equals", "equal", "==", "="),
        "value",
        "Some value is this one. `null` is true of what is null and of what is missing.",
        "state.name equals running",
        {"state": {"name": "running"}},
        {"state": {"name": "stopped"}},
        p.equals,
    )
    yield Operator(
        "does not equal",
        ("does not equal", "does not equals", "!="),
        "value",
        "No value is this one; so also where the path leads nowhere.",
        "state.name != running",
        {"state": {}},
        {"state": {"name": "running"}},
        negates="equals",
    )
    yield Operator(
        "equal ignore case",
        ("equal ignore case", "equals ignore case"),
        "value",
        "Some value is this one, upper and lower case being the same.",
        "name equal ignore case 'WEB'",
        {"name": "Web"},
        {"name": "db"},
        p.equals_ignoring_case,
    )
    yield Operator(
        "does not equal ignore case",
        ("does not equal ignore case", "does not equals ignore case"),
        "value",
        "No value is this one, whatever the case.",
        "name does not equal ignore case 'WEB'",
        {"name": "db"},
        {"name": "Web"},
        negates="equal ignore case",
    )


def _texts() -> Iterator[Operator]:
    yield Operator(
        "contains",
        ("contains", "contain"),
        "values",
        "A text holds this one; an array has an element that is or holds it; an object holds it in its JSON text.",
        "tags contains 'prod'",
        {"tags": ["eu", "production"]},
        {"tags": ["Prod"]},
        p.contains,
    )
    yield Operator(
        "does not contain",
        ("does not contain", "does not contains"),
        "values",
        "No value contains it; so also where the path leads nowhere.",
        "tags[*].key does not contain owner",
        {"tags": []},
        {"tags": [{"key": "stage"}, {"key": "owner"}]},
        negates="contains",
    )
    for name, spelling, doc, predicate in (
        ("starts with", "start with", "Some value begins with this text.", p.begins),
        ("ends with", "end with", "Some value ends with this text.", p.finishes),
    ):
        yes, no = ("web-1", "1-web") if predicate is p.begins else ("1-web", "web-1")
        yield Operator(
            name, (name, spelling), "value", doc, f"name {name} 'web'", {"name": yes}, {"name": no}, predicate
        )
        yield Operator(
            f"does not {spelling}",
            (f"does not {spelling}", f"does not {name}"),
            "value",
            f"The opposite of `{name}`.",
            f"name does not {spelling} 'web'",
            {"name": no},
            {"name": yes},
            negates=name,
        )


def _presence() -> Iterator[Operator]:
    yield Operator(
        "exists",
        ("exists", "exist"),
        "nothing",
        "The path leads somewhere, be it to null.",
        "publicIp exists",
        {"publicIp": None},
        {},
        p.exists,
    )
    yield Operator(
        "does not exist",
        ("does not exist", "does not exists", "!exists", "!exist"),
        "nothing",
        "The path leads nowhere.",
        "publicIp does not exist",
        {},
        {"publicIp": None},
        negates="exists",
    )
    yield Operator(
        "is empty",
        ("is empty", "isEmpty"),
        "nothing",
        "Some value is an empty text, array or object. What is null or missing isn't empty.",
        "rules is empty",
        {"rules": []},
        {"rules": None},
        p.empty,
    )
    yield Operator(
        "is not empty",
        ("is not empty", "!isEmpty", "isNotEmpty"),
        "nothing",
        "No value is an empty text, array or object; so also where the path leads nowhere.",
        "rules is not empty",
        {},
        {"rules": ""},
        negates="is empty",
    )
    for text in ("true", "false"):
        yield Operator(
            f"is {text}",
            (f"is {text}", f"is{text.title()}"),
            "nothing",
            f"Some value is {text}, as a boolean or as a word in any case.",
            f"encrypted is {text}",
            {"encrypted": text.title()},
            {},
            p.word(text),
        )


def _lists() -> Iterator[Operator]:
    yield Operator(
        "is member of",
        ("is member of",),
        "values",
        "Some value is in the list. `null` in the list, quoted or not, is true of what is null or missing.",
        "protocol is member of (tcp, udp)",
        {"protocol": "tcp"},
        {"protocol": "icmp"},
        p.listed,
    )
    yield Operator(
        "is not member of",
        ("is not member of",),
        "values",
        "No value is in the list.",
        "protocol is not member of (tcp, udp)",
        {},
        {"protocol": "udp"},
        negates="is member of",
    )
    yield Operator(
        "intersects",
        ("intersects", "intersect"),
        "values",
        "Some value, or some element where a value is an array, is in the list or in what the other path finds.",
        "ports intersects (22, 3389)",
        {"ports": [80, 22]},
        {"ports": [80]},
        p.intersects,
    )
    yield Operator(
        "does not intersect",
        ("does not intersect", "does not intersects"),
        "values",
        "Nothing is in both.",
        "ports does not intersect (22, 3389)",
        {"ports": [80]},
        {"ports": ["22"]},
        negates="intersects",
    )
    yield Operator(
        "isType",
        ("isType",),
        "type",
        f"Some value has this JSON type: {', '.join(p.TYPES)}.",
        "id isType Integer",
        {"id": 7},
        {"id": "7"},
        p.of_type,
    )
    yield Operator(
        "!isType",
        ("!isType",),
        "type",
        "No value has it.",
        "id !isType Integer",
        {"id": "7"},
        {"id": 7},
        negates="isType",
    )


_RELATIONS: tuple[tuple[str, tuple[str, ...], str, str, int], ...] = (
    # name, other spellings, in words, SQL, a number for which `2 <relation> it` is true
    ("equals", ("equal", "==", "="), "", "=", 2),
    ("does not equal", ("does not equals", "!="), "not ", "<>", 3),
    ("greater than", (">",), "greater than ", ">", 1),
    ("less than", ("<",), "less than ", "<", 3),
    (">=", ("greater than or equals", "greater than or equal to"), "at least ", ">=", 2),
    ("<=", ("less than or equals", "less than or equal to"), "at most ", "<=", 2),
)

_MEASURES: tuple[tuple[str, str, Callable[[str], p.Predicate], tuple[object, ...]], ...] = (
    # noun, what it measures, its predicate, documents that measure 0, 1, 2, 3
    ("size", "values, elements of an array or keys of an object", p.sized, ([], [1], [1, 2], [1, 2, 3])),
    ("length", "characters of some value", lambda s: p.compared(s, p.letters), ("", "a", "ab", "abc")),
    ("number of words", "words of some value", lambda s: p.compared(s, p.words), ("", "a", "a b", "a b c")),
)


def _numbers() -> Iterator[Operator]:
    for name, others, words, symbol, number in _RELATIONS[2:]:
        doc = f"Some value, a number or a text that reads as one, is {words}the number on the right."
        wrong = 1 if symbol.startswith(">") and number == 2 else 3 if symbol == "<=" else number
        predicate = p.compared(symbol)
        yield Operator(
            name, (name, *others), "amount", doc, f"age {name} {number}", {"age": "2"}, {"age": wrong}, predicate
        )
    for noun, what, measured, sizes in _MEASURES:
        for name, others, words, symbol, number in _RELATIONS:
            opposite = symbol == "<>"
            wrong = {"=": 1, "<>": 3, ">": 1, "<": 3, ">=": 1, "<=": 3}[symbol]
            yield Operator(
                f"{noun} {name}",
                tuple(f"{noun} {spelling}" for spelling in (name, *others)),
                "amount",
                f"The number of {what} is {words}the number on the right.",
                f"it {noun} {name} {number}",
                {"it": sizes[2]},
                {"it": sizes[wrong]},
                None if opposite else measured(symbol),
                negates=f"{noun} equals" if opposite else "",
            )


def _quantified() -> Iterator[Operator]:
    rows: tuple[tuple[str, tuple[str, ...], Takes, str, p.Predicate, object, object, str], ...] = (
        ("equal", ("equals",), "values", "is this one", p.equals_present, "a", "b", " 'a'"),
        ("start with", ("starts with",), "values", "starts with this text", p.begins, "ab", "ba", " 'a'"),
        ("end with", ("ends with",), "values", "ends with this text", p.finishes, "ba", "ab", " 'a'"),
        ("empty", (), "nothing", "is empty", p.empty, "", "x", ""),
        ("true", (), "nothing", "is true", p.word("true"), True, False, ""),
        ("false", (), "nothing", "is false", p.word("false"), False, True, ""),
    )
    for verb, others, takes, doc, predicate, good, bad, argument in rows:
        for word, how, wrap, yes, no in (
            ("any", "Some value, or element where a value is an array,", p.any_of, [bad, good], [bad]),
            ("none", "No value, and no element where a value is an array,", p.none_of, [bad], [bad, good]),
            ("all", "There are values, and each, or each element where it is an array,", p.all_of, [good], [good, bad]),
        ):
            camel = "".join(part.title() for part in verb.split())
            shown = [word, "no"] if word == "none" else [word]
            yield Operator(
                f"{word} {verb}",
                (*(f"{word} {v}" for v in (verb, *others)), *(f"{w}{camel}" for w in shown)),
                takes,
                f"{how} {doc}.",
                f"them {word} {verb}{argument}",
                {"them": yes},
                {"them": no},
                wrap(predicate),
            )


OPERATORS = {operator.name: operator for operator in _all()}
"""Every operator by name."""

ELSEWHERE = {
    "matches": "`matches` belongs to event queries; here use contains, starts with or ends with",
    "does not match": "`does not match` belongs to event queries; here use does not contain",
    "like": "`like` belongs to IAM queries; here use contains",
    "in": "inside json.rule a list is asked with `is member of ( ... )`",
    "not in": "inside json.rule a list is asked with `is not member of ( ... )`",
}
"""Words that are operators elsewhere in RQL, and what to write in json.rule."""
