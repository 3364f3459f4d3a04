"""What the documents of RQL leave open, each decided in a sentence with a document that shows it."""

from typing import NamedTuple


class Choice(NamedTuple):
    """A decision: of *document*, the rule *example* is true when *holds*."""

    rule: str
    example: str
    document: object
    holds: bool


CHOICES = (
    Choice(
        "`and` binds tighter than `or`",
        "a is true or b is true and c is true",
        {"a": True, "b": True, "c": False},
        True,
    ),
    Choice("of several values one is enough", "ports[*] equals 22", {"ports": [80, 22]}, True),
    Choice("a negation speaks of all: none may be it", "ports[*] does not equal 22", {"ports": [80, 22]}, False),
    Choice("a negation is true where the path leads nowhere", "ports[*] does not equal 22", {}, True),
    Choice("the same for `does not contain`", "not (name contains 'x')", {}, True),
    Choice("null exists", "key exists", {"key": None}, True),
    Choice("null isn't empty", "key is empty", {"key": None}, False),
    Choice("what is missing isn't empty", "key is empty", {}, False),
    Choice("`is not empty` is its opposite, so it is true of what is missing", "key is not empty", {}, True),
    Choice("an empty array and an empty object are empty like an empty text", "key is empty", {"key": {}}, True),
    Choice("`equals null` is true of null", "key equals null", {"key": None}, True),
    Choice("and of what is missing", "key equals null", {}, True),
    Choice("the text null is no null", "key equals null", {"key": "null"}, False),
    Choice("quotes make null a text", "key equals 'null'", {"key": "null"}, True),
    Choice("in a list null means null, with quotes or without", "key is member of ('null', 'a')", {}, True),
    Choice("`is false` is not true of what is missing", "encrypted is false", {}, False),
    Choice("booleans may be words, in any case", "encrypted is true", {"encrypted": "True"}, True),
    Choice("that holds for equals as well", "encrypted equals TRUE", {"encrypted": True}, True),
    Choice("a number equals the text that reads as it", "port equals 22", {"port": "22"}, True),
    Choice("however JSON writes the number", "ratio equals 1.0", {"ratio": 1}, True),
    Choice("a text must write it the same way", "port equals 22", {"port": "022"}, False),
    Choice("a literal with leading zeros is a text", "account equals 007", {"account": 7}, False),
    Choice("equals minds case", "name equals Web", {"name": "web"}, False),
    Choice("contains minds case", "name contains Web", {"name": "web"}, False),
    Choice("contains looks inside a text", "name contains eb", {"name": "web"}, True),
    Choice("contains doesn't look for digits in a number", "port contains 22", {"port": 2222}, False),
    Choice("but in a text", "port contains 22", {"port": "20-22"}, True),
    Choice("contains looks at the elements of an array", "tags contains prod", {"tags": ["production"]}, True),
    Choice("and at the JSON text of an object", "tags contains owner", {"tags": {"owner": "me"}}, True),
    Choice("equals doesn't look into an array; `any equal` does", "action equals '*'", {"action": ["*"]}, False),
    Choice("`any`, `none`, `all` look into arrays", "action any equal '*'", {"action": ["*"]}, True),
    Choice("`all` needs at least one", "flags[*] all true", {"flags": []}, False),
    Choice("`none` needs none", "flags[*] none true", {}, True),
    Choice("`[?any()]` of nothing is false", "rules[?any( a is true )] exists", {"rules": []}, False),
    Choice("`[?none()]` of nothing is true", "rules[?none( a is true )] exists", {}, True),
    Choice("`[?all()]` of nothing is false", "rules[?all( a is true )] exists", {"rules": []}, False),
    Choice("`[?any()] does not exist` is true of nothing", "rules[?any( a is true )] does not exist", {}, True),
    Choice("`[*]` goes through arrays only", "rules[*] exists", {"rules": {"a": 1}}, False),
    Choice("`.*` goes through objects and arrays", "rules.* exists", {"rules": {"a": 1}}, True),
    Choice(
        "after a wildcard or another bracket, a bracket asks an object itself",
        "resources.*.[?(@.kind=='vm')].name equals x",
        {"resources": {"one": {"kind": "vm", "name": "x"}}},
        True,
    ),
    Choice("a key doesn't reach into the elements of an array", "rules.port exists", {"rules": [{"port": 22}]}, False),
    Choice("keys mind case", "Name exists", {"name": "x"}, False),
    Choice("the size of what is missing is 0", "rules size equals 0", {}, True),
    Choice(
        "the size of a set is how many values there are",
        "rules[*].port size equals 1",
        {"rules": [{"port": 1}, {}]},
        True,
    ),
    Choice("an object's size is its keys", "tags size equals 1", {"tags": {"a": 1}}, True),
    Choice("a text has no size, but a length", "name size greater than 0", {"name": "web"}, False),
    Choice("a text that is no number is not greater than one", "age greater than 1", {"age": "N/A"}, False),
    Choice("nor less", "age less than 1", {"age": "N/A"}, False),
    Choice(
        "`$` on the right is the resource, also in a bracket",
        "grants[?any( id equals $.owner )] exists",
        {"owner": 1, "grants": [{"id": 1}]},
        True,
    ),
    Choice("what is missing equals nothing, not even what is missing", "a equals $.b", {}, False),
    Choice("intersects looks into arrays on both sides", "a intersects $.b", {"a": [1, 2], "b": [2, 3]}, True),
    Choice(
        "in `[?( )]` a path alone asks whether it is there",
        "rules[?(@.port)] exists",
        {"rules": [{"port": None}]},
        True,
    ),
    Choice("an age is in whole days", "_DateTime.ageInDays(t) equals 0", {"t": "2025-12-31T12:30:00Z"}, True),
    Choice("counted towards zero, in the future too", "_DateTime.ageInDays(t) equals 0", {"t": "2026-01-02"}, True),
    Choice("so it is negative from a whole day on", "_DateTime.ageInDays(t) < 0", {"t": "2026-01-02T12:00:00Z"}, True),
    Choice("a time without a zone is UTC", "_DateTime.ageInDays(t) equals 1", {"t": "2025-12-31 11:00:00"}, True),
    Choice("numbers are seconds or milliseconds", "_DateTime.ageInYears(t) > 40", {"t": 433123200}, True),
    Choice("what is no time has no age", "_DateTime.ageInDays(t) < 9999", {"t": "N/A"}, False),
    Choice("nor has what is missing", "_DateTime.ageInDays(t) exists", {}, False),
    Choice("a function of nothing is not even false", "_IPAddress.inCIDRRange(ip,::/0) is false", {}, False),
    Choice(
        "a network lies in another when all of it does",
        "_IPAddress.inCIDRRange(ip,10.0.0.0/8) is true",
        {"ip": "0.0.0.0/0"},
        False,
    ),
    Choice("a range of ports meets one that it overlaps", "p contains _Port.inRange(22,25)", {"p": "20-23"}, True),
    Choice("`*` is no port", "p contains _Port.inRange(22,25)", {"p": "*"}, False),
    Choice(
        "arrays count as their elements in a function", "_Set.union(a,b) size equals 3", {"a": [1, 2], "b": 3}, True
    ),
)
