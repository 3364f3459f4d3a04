"""docs/rql.md, printed from the tables of the language, so that it can't be out of date."""

import json
from collections.abc import Iterable

from queries.catalog import ATTRIBUTES, AttributeKind
from queries.choices import CHOICES, Choice
from queries.functions import FUNCTIONS, Function
from queries.operators import OPERATORS, Operator

_HEAD = """\
# RQL

Printed by `python -m queries --docs`: change `queries/`, not this page. Each example here is run by a test.

RQL asks which resources meet a condition: on attributes, and with `json.rule` on the document.

```
config from cloud.resource where cloud.type = 'aws' AND api.name = 'aws-ec2-describe-security-groups'
  AND json.rule = ipPermissions[?any( fromPort equals 22 and ipRanges[*] contains 0.0.0.0/0 )] exists
```

`config where` is the older form and means the same. Keywords may be in any case. `and` binds tighter than `or`, `not`
tighter than both; brackets group. `json.rule` without quotes runs to the end, so it comes last.

`addcolumn a.b c[*].d` at the end adds columns; `limit search records to 10` limits the answer.

## Joins

```
config from cloud.resource where api.name = 'aws-ec2-describe-instances' AND json.rule = publicIpAddress exists as X;
config from cloud.resource where api.name = 'aws-ec2-describe-security-groups'
  AND json.rule = ipPermissions[*].ipRanges[*] contains 0.0.0.0/0 as Y;
filter '$.X.securityGroups[*].groupId contains $.Y.groupId'; show X;
```

Two or three clauses with names, a filter that says how their resources belong together, and which of them is shown (the
first, if the query doesn't say). A resource is shown where some resource of the others meets the filter with it; after
`not` where none does. A clause that the filter doesn't mention must have a resource. The paths of `filter` begin with
`$.X.`; every operator and function may stand in it. A query joins across accounts, a policy within each account.

## Count

```
config from cloud.resource where api.name = 'aws-cloudtrail-describe-trails' AND json.rule = isMultiRegionTrail is true
as X; count(X) less than 1
```

The answer has a row for each account whose number of resources is such, and for each of its regions where the API is
regional: those of AWS except IAM, Organizations, CloudFront, Route 53 and the like. Accounts and regions are those from
which there are resources.
"""

PATHS = (
    (("state.name",), "the value of a key of a key"),
    (("$.state.name",), "the same, from the resource, also inside a bracket"),
    (("rules[*].port",), "the port of every element"),
    (("rules[0].port",), "that of the first"),
    (("['properties.osProfile'].name", "tags.['Data Security']"), "keys with dots, blanks or brackets"),
    (("resources.*.type", "resources.{}.type"), "whatever the key is"),
    (("rules[?any( port equals 22 and open is true )]",), "the elements that meet a condition"),
    (("rules[?none( port equals 22 )]", "rules[?all( port equals 22 )]"), "with `exists`: no element meets it, all do"),
    (
        ("rules[?(@.port == 22 && @.open == 'yes' || @.all)]",),
        "elements; `@` is the element, `&&` is and, `||` is or",
    ),
)
"""Every form of a path, and what it finds."""

_VALUES = """\
A value needs quotes, `'` or `"`, when it has blanks or brackets; the rule as a whole may stand in quotes. A right side
that begins with `$.` is a path.

## Findings

`finding.*` asks for resources with an open finding. Conditions that `and` joins must be met by one finding; `!=` and
`not in` speak of that finding, `not` in front of a condition of the resource: no finding of it meets it. The answer
shows the worst finding that met the query and how many did.
"""

_LATER = """## Speed

The paths that policies and frequent queries ask are *hot*: held in columns, so that a clause of one `api.name` whose
paths are all hot reads no document. The answer is the same. `tidegate rql --explain QUERY` says which paths are hot,
`tidegate hot list`, `add` and `drop` show and choose them: `state.name`, `tags[*].value`, and `rules[?].port` for what
brackets ask of each element. Naming the `api.name` helps always.

## Not answered

Resource lists (`{'Name'.keys}`): write the list out. Event, network, IAM, asset and vulnerability queries are refused
with a word: this system answers config queries.
"""


def page() -> str:
    """Return docs/rql.md."""
    return "\n".join(
        [
            _HEAD,
            "## Attributes\n",
            *_table("attribute | asks | example", (_attribute(name, kind) for name, kind in ATTRIBUTES.items())),
            "## Paths\n",
            *_table("path | finds", map(_path, PATHS)),
            _VALUES,
            "## Operators of json.rule\n",
            *_table("operator | also written | true when | example", map(_operator, OPERATORS.values())),
            "## Functions\n\nA function of what isn't there gives nothing. Blanks may stand between arguments.\n",
            *_table("function | also written | gives | example", map(_function, FUNCTIONS.values())),
            "## Choices\n\nWhat Prisma Cloud's documents leave open is decided so; it is noon of 2026-01-01:\n",
            *_table("rule | example | of this document | is", map(_choice, CHOICES)),
            _LATER,
        ]
    )


def _table(heads: str, rows: Iterable[str]) -> list[str]:
    return [f"| {heads} |", "|" + "---|" * (heads.count("|") + 1), *rows, ""]


def _path(row: tuple[tuple[str, ...], str]) -> str:
    forms, words = row
    return f"| {', '.join(f'`{_cell(form)}`' for form in forms)} | {_cell(words)} |"


def _choice(choice: Choice) -> str:
    example, document = _cell(choice.example), _cell(json.dumps(choice.document))
    return f"| {choice.rule} | `{example}` | `{document}` | {str(choice.holds).lower()} |"


def _attribute(name: str, kind: AttributeKind) -> str:
    doc = f"Another name of {kind.name}." if name != kind.name else kind.doc
    return f"| `{name}` | {doc} | `{_cell(kind.example.replace(kind.name, name))}` |"


def _operator(operator: Operator) -> str:
    others = ", ".join(f"`{_cell(spelling)}`" for spelling in operator.spellings if spelling != operator.name)
    return f"| `{operator.name}` | {others} | {operator.doc} | `{_cell(operator.example)}` |"


def _function(function: Function) -> str:
    others = ", ".join(f"`{spelling}`" for spelling in function.spellings)
    return f"| `{function.name}` | {others} | {function.doc} | `{_cell(function.example)}` |"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
