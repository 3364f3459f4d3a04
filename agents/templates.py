"""Notification templates: texts with `{{ ... }}` about an alert, rendered where they can do nothing else.

The language is Jinja's, in its sandbox and smaller: nothing is called, imported or set, loops lie two deep at most, and
nothing grows large. What `$Name` and `${Name}` mean, the destinations know: these stay as they are.
"""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, NamedTuple

import orjson
from jinja2 import StrictUndefined, Template, TemplateSyntaxError, Undefined, meta, nodes
from jinja2.exceptions import SecurityError, TemplateError
from jinja2.sandbox import ImmutableSandboxedEnvironment
from typing_extensions import override

from agents.sinks._base import Sink
from agents.sinks._payload import VARIABLE, VARIABLES, cut, variables
from agents.sinks._template import check_template
from queries.errors import nearest
from streams.alerts import Delivery
from streams.control.errors import Refused
from streams.control.saved import NotificationTemplate, TemplateField

LONGEST = 32_000
"""The most characters that a field is rendered to."""
STATES = ("basic", "open", "resolved", "dismissed", "snoozed")
NAMES = ("alert", "config", "link", "rules", *sorted(VARIABLES))
"""What stands in texts: `alert`, as it is on its topic, `config`, its resource's, and the variables without `$`."""


class Fault(NamedTuple):
    """What is wrong with a field, and in which line of its text."""

    state: str
    field: str
    line: int
    words: str

    @override
    def __str__(self) -> str:
        return f"{self.state}: {self.field}: line {self.line}: {self.words}"


class Shown(NamedTuple):
    """A field as it would be sent."""

    state: str
    field: str
    label: str
    text: str
    fault: Fault | None


def check(template: NotificationTemplate) -> None:
    """Raise Refused, with a line for each text that can't be rendered for any alert."""
    faults = [fault for state, field in _fields(template) if (fault := _checked(state, field)) is not None]
    if faults:
        raise Refused([str(fault) for fault in faults])


def preview(template: NotificationTemplate, delivery: Delivery) -> list[Shown]:
    """Return every field as it would be sent for *delivery*, variables filled in; with its fault where it has one."""
    values, named = _values(delivery), variables(delivery)
    shown = []
    for state, field in _fields(template):
        text, fault = _rendered(state, field, values)
        filled = VARIABLE.sub(lambda found: named.get(found[1] or found[2], found[0]), text)
        shown.append(Shown(state, field.field, field.label, _short(field, filled), fault))
    return shown


def rendered(template: NotificationTemplate, delivery: Delivery) -> NotificationTemplate:
    """Return *template* with its texts as they are for *delivery*; `$Name` stays.

    Raises ValueError for a fault in a field of the alert's own state; other states' fields stay as they are then.
    """
    if not any(_is_code(field.value) for _, field in _fields(template)):
        return template
    values, status = _values(delivery), delivery.event.alert.status
    made: dict[str, tuple[TemplateField, ...]] = {}
    for state in STATES:
        fields = []
        for field in getattr(template, state):
            text, fault = _rendered(state, field, values)
            if fault is not None and state in ("basic", status):
                raise ValueError(str(fault))
            fields.append(field if fault else field.model_copy(update={"value": _short(field, text)}))
        made[state] = tuple(fields)
    return template.model_copy(update=made)


def prepared(sink: Sink, template: NotificationTemplate | None, delivery: Delivery) -> tuple[Sink, str]:
    """Return the sink to send *delivery* through, and why the template can't be used; empty: it can, or is none."""
    if template is None:
        return sink, ""
    if not template.enabled:
        return sink, f"the template {template.id} is disabled: sent in the destination's own form"
    try:
        return sink.templated(rendered(template, delivery)), ""
    except ValueError as wrong:
        return sink, f"the template {template.id} can't be used: {wrong}: sent in the destination's own form"


def _fields(template: NotificationTemplate) -> Iterator[tuple[str, TemplateField]]:
    for state in STATES:
        for field in getattr(template, state):
            yield state, field


def _is_code(text: str) -> bool:
    return "{{" in text or "{%" in text or "{#" in text


def _short(field: TemplateField, text: str) -> str:
    return cut(text, field.max_length) if field.max_length else text


def _values(delivery: Delivery) -> Mapping[str, Any]:
    """Return what the texts may name. All of it is plain JSON: nothing in it can be called."""
    event = delivery.event
    return {
        **variables(delivery),
        "PolicyLabels": list(event.alert.policy.labels),
        "alert": orjson.loads(orjson.dumps(event.alert)),
        "config": orjson.loads(orjson.dumps(event.config)),
        "link": delivery.link,
        "rules": [rule.name for rule in delivery.rules],
    }


class _Sandbox(ImmutableSandboxedEnvironment):
    """Jinja with neither calls nor globals, and only filters whose work is as small as what they are given."""

    intercepted_binops = frozenset(("*", "**", "%"))

    def __init__(self) -> None:
        super().__init__(undefined=StrictUndefined, finalize=_plain, keep_trailing_newline=True)
        self.globals = {}
        self.filters = {name: self.filters[name] for name in FILTERS} | {
            "join": _joined,
            "replace": _replaced,
            "time": _as_time,
            "tojson": _as_json,
        }

    @override
    def call(self, *_: Any, **__: Any) -> Any:
        raise SecurityError("nothing can be called here; there are filters, such as `| upper`")

    @override
    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        if isinstance(left, int) and isinstance(right, int) and operator == "*":
            return left * right
        raise SecurityError(
            f"{operator} is for whole numbers only" if operator == "*" else f"there is no {operator} here"
        )


FILTERS = (
    *("abs", "capitalize", "count", "default", "dictsort", "first", "int", "items", "last", "length", "list", "lower"),
    *("map", "max", "min", "reject", "rejectattr", "reverse", "round", "select", "selectattr", "sort", "string", "sum"),
    *("title", "trim", "truncate", "unique", "upper"),
)
"""Those of Jinja's filters that make nothing larger than what they are given. Beside them there are ours: `join`,
`replace`, `tojson`, and `time`, which makes a time of ms since 1970 UTC.
"""
_BANNED = (
    nodes.Assign,
    nodes.AssignBlock,
    nodes.Call,
    nodes.CallBlock,
    nodes.Extends,
    nodes.FromImport,
    nodes.Import,
    nodes.Include,
    nodes.Macro,
    nodes.With,
)


def _joined(values: Any, between: str = "") -> str:
    texts = [str(value) for value in values]
    _check_size(sum(map(len, texts)) + len(between) * len(texts))
    return between.join(texts)


def _replaced(text: Any, old: str, new: str) -> str:
    before = str(text)
    _check_size(len(before) + before.count(old) * len(new))
    return before.replace(old, new)


def _as_json(value: Any) -> str:
    return str(orjson.dumps(value).decode())


def _as_time(ms: Any) -> str:
    return datetime.fromtimestamp(int(ms) / 1000, UTC).isoformat(timespec="seconds")


def _check_size(size: int) -> None:
    if size > LONGEST:
        raise SecurityError(f"more than {LONGEST} characters")


def _plain(value: Any) -> Any:
    """Make a value text that no destination takes for a variable."""
    if isinstance(value, Undefined):
        return value
    text = value if isinstance(value, str) else orjson.dumps(value).decode()
    return str(text).replace("${", "$ {")


_SANDBOX = _Sandbox()


@lru_cache(maxsize=1024)
def _compiled(text: str) -> Template:
    """Return what renders *text*. Raises TemplateSyntaxError."""
    tree = _SANDBOX.parse(text)
    for banned in tree.find_all(_BANNED):
        raise TemplateSyntaxError("only loops, conditions and filters are here", banned.lineno)
    if (line := _too_deep(tree)) is not None:
        raise TemplateSyntaxError("a loop within a loop within a loop", line)
    for name in sorted(meta.find_undeclared_variables(tree)):
        if name not in NAMES:
            line = next(node.lineno for node in tree.find_all(nodes.Name) if node.name == name)
            raise TemplateSyntaxError(f"there is no {name!r}; {nearest(name, NAMES) or 'there is `alert`'}", line)
    return _SANDBOX.from_string(text)


def _too_deep(node: nodes.Node, depth: int = 0) -> int | None:
    for child in node.iter_child_nodes():
        inner = depth + isinstance(child, nodes.For)
        if inner > 2:
            return child.lineno
        if (line := _too_deep(child, inner)) is not None:
            return line
    return None


def _checked(state: str, field: TemplateField) -> Fault | None:
    try:
        if _is_code(field.value):
            _compiled(field.value)
        check_template(field.value)
    except TemplateSyntaxError as wrong:
        return Fault(state, field.field, wrong.lineno, wrong.message or "it can't be read")
    except ValueError as wrong:
        line = next((n for n, line in enumerate(field.value.splitlines(), 1) if "${" in line), 1)
        return Fault(state, field.field, line, str(wrong))
    return None


def _rendered(state: str, field: TemplateField, values: Mapping[str, Any]) -> tuple[str, Fault | None]:
    """Return the text of a field, as it stands there where it can't be rendered."""
    if not _is_code(field.value):
        return field.value, None
    if (fault := _checked(state, field)) is not None:
        return field.value, fault
    made, size = [], 0
    try:
        for part in _compiled(field.value).generate(values):
            made.append(part)
            size += len(part)
            _check_size(size)
    except (TemplateError, ArithmeticError, LookupError, OSError, TypeError, ValueError) as wrong:
        return field.value, Fault(state, field.field, _line(wrong), str(wrong) or type(wrong).__name__)
    return "".join(made), None


def _line(error: BaseException) -> int:
    """Return the line of the text in which *error* was raised: Jinja names it in the traceback."""
    line, trace = 1, error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == "<template>":
            line = trace.tb_lineno
        trace = trace.tb_next
    return line
