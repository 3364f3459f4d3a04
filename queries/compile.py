"""Checked tree to one SQL statement and its values. Nothing that a user wrote becomes SQL text."""

from datetime import datetime

from queries.catalog import AttributeKind, kind_of
from queries.check import Checked
from queries.compile_rule import column, compile_rule, opposite
from queries.fragment import Sql, bind, commas, join, sql
from queries.members import Members, Scope, members, names
from queries.names import SOURCES, is_product
from queries.syntax import And, Attribute, Compare, Condition, JsonRule, Key, Not, OneFinding, Or, Path

RESOURCE_COLUMNS = ("account", "region", "api.name", "id", "name", "rrn")
FINDING_COLUMNS = ("finding.severity", "finding.type", "finding.source", "finding.name", "findings")

_MATCHED = """\
with matched as materialized (
  select r.rid, r.rrn from resources r
  where {0}
)"""
# `met.rid >= 0` is always true: because of it documents are read after the join, only those of resources with a finding
_MATCHED_BY_FINDING = """\
with met as materialized (
  select distinct fr.rid from finding_resource fr join findings f using (fid) where {0}
), matched as materialized (
  select r.rid, r.rrn from resources r join met on r.rid = met.rid
  where ({1}) and case when met.rid >= 0 then {2} end
)"""
_PAGE = """\
, page as (
  select rid, (select count(*) from matched) as total from matched order by rrn limit {0} offset {1}
)"""
_WORST = """\
, worst as (
  select fr.rid, count(distinct f.fid) as findings,
    first({'severity': f.severity, 'type': f.type, 'source': f.source, 'name': f.name} order by
      list_position(['critical', 'high', 'medium', 'low', 'informational'], f.severity), f.name, f.fid) as finding
  from finding_resource fr join findings f using (fid)
  where fr.rid in (select rid from page) and {0}
  group by fr.rid
)"""
_FINDINGS = "r.rid in (select fr.rid from finding_resource fr join findings f using (fid) where {0})"
_LIVE = Sql("not f.deleted and f.status = 'open'")


def compile(checked: Checked, now: datetime, *, limit: int | None = None, offset: int = 0) -> Sql:
    """Return the statement that answers *checked*: RESOURCE_COLUMNS, FINDING_COLUMNS where findings were asked for, the
    columns of addcolumn as JSON text, and how many resources there are in all. *now* is the time that age functions
    count from.
    """
    asked = checked.query.limit
    most = limit if asked is None else max(0, min(asked - offset, asked if limit is None else limit))
    page = sql(_PAGE, bind(most) if most is not None else Sql("null"), bind(offset))
    selected = [Sql(f'r.{name.replace("api.name", "api_name")} as "{name}"') for name in RESOURCE_COLUMNS]
    source = Sql("page join resources r using (rid)")
    if checked.findings:
        met = join(" or ", [_finding(one.condition) for one in checked.findings])
        page = sql("{0}{1}", page, sql(_WORST, join(" and ", [_LIVE, met])))
        selected += [
            Sql(f'worst.finding.{name} as "finding.{name}"') for name in ("severity", "type", "source", "name")
        ]
        selected.append(Sql("coalesce(worst.findings, 0) as findings"))
        source = Sql(f"{source.text} left join worst using (rid)")
    selected += [sql(f"{{0}} as added{n}", column(path, Sql("r.json"))) for n, path in enumerate(checked.query.columns)]
    selected.append(Sql("page.total"))
    return sql("{0}{1}\nselect {2}\nfrom {3}\norder by r.rrn", _matched(checked), page, commas(selected), source)


def condition(checked: Checked) -> Sql:
    """Return the condition on `resources r` that *checked* stands for, the cheap parts first."""
    return join(" and ", _compiled(_parts(checked), checked))


def _matched(checked: Checked) -> Sql:
    parts = _parts(checked)
    findings = [part for part in parts if isinstance(part, OneFinding)]
    documents = [part for part in parts if _cost(part) == _DOCUMENT]
    if not findings or not documents:
        return sql(_MATCHED, condition(checked))
    met = join(" and ", [_LIVE, *(_finding(part.condition) for part in findings)])
    others = [part for part in parts if part not in findings and part not in documents]
    early = _compiled(others, checked) or [Sql("true")]
    late = join(" and ", [_condition(part) for part in documents])
    return sql(_MATCHED_BY_FINDING, met, join(" and ", early), late)


def _parts(checked: Checked) -> list[Condition]:
    parts = checked.condition.parts if isinstance(checked.condition, And) else (checked.condition,)
    return sorted(parts, key=_cost)


def _compiled(parts: list[Condition], checked: Checked) -> list[Sql]:
    compiled = [_condition(part) for part in parts]
    if not checked.any_status:
        compiled.insert(sum(_cost(part) == 0 for part in parts), Sql("not r.deleted"))
    return compiled


_DOCUMENT = 3


def _cost(condition: Condition) -> int:
    match condition:
        case And(parts) | Or(parts):
            return max(_cost(part) for part in parts)
        case Not(inner):
            return _cost(inner)
        case Attribute():
            return 1 if kind_of(condition).looks == "tag" else 0
        case OneFinding():
            return 2
        case _:
            return _DOCUMENT


def _condition(condition: Condition) -> Sql:
    match condition:
        case And(parts):
            return join(" and ", [_condition(part) for part in parts])
        case Or(parts):
            return join(" or ", [_condition(part) for part in parts])
        case Not(inner):
            return opposite(_condition(inner))
        case Attribute():
            return _attribute(condition)
        case OneFinding(inner):
            return sql(_FINDINGS, join(" and ", [_LIVE, _finding(inner)]))
        case JsonRule(inner):
            return compile_rule(inner, Sql("r.json"))
        case Compare():
            raise AssertionError(condition)


def _attribute(attribute: Attribute) -> Sql:
    kind = kind_of(attribute)
    if kind.looks == "tag":
        return _tag(attribute)
    texts = tuple(dict.fromkeys(text for value in attribute.values for text in kind.read(value.text)))
    return _signed(attribute, _among(Sql(kind.column), texts))


def _finding(condition: Condition) -> Sql:
    match condition:
        case And(parts):
            return join(" and ", [_finding(part) for part in parts])
        case Or(parts):
            return join(" or ", [_finding(part) for part in parts])
        case Attribute():
            return _signed(condition, join(" or ", _finding_attribute(condition, kind_of(condition))))
        case _:
            raise AssertionError(condition)


def _finding_attribute(attribute: Attribute, kind: AttributeKind) -> list[Sql]:
    texts = [value.text for value in attribute.values]
    column = Sql(kind.column)
    if kind.name == "finding.type":
        products = [SOURCES[" ".join(text.lower().split())] for text in texts if is_product(text)]
        types = [read for text in texts if not is_product(text) for read in kind.read(text)]
        ways = [_among(column, types)] if types else []
        return [*ways, _among(Sql("f.source"), products)] if products else ways
    read = [r for text in texts for r in kind.read(text)]
    ways = [_among(column, read)]
    if kind.name == "finding.name":
        cves = [text.upper() for text in read if text.upper().startswith("CVE-")]
        ways += [sql("list_contains(f.cves, {0})", bind(cve)) for cve in cves]
    return ways


def _tag(attribute: Attribute) -> Sql:
    scope = Scope(Sql("r.tags"), Sql("r.tags"), names(), lambda condition, _: _condition(condition))
    found: Members = members(Path("", (Key(attribute.argument or ""),)), scope)
    if attribute.operator in ("exists", "does not exist"):
        there = sql("{0} is not null", found.json())
        return there if attribute.operator == "exists" else opposite(there)
    return _signed(attribute, _among(found.text(), [value.text for value in attribute.values]))


def _among(column: Sql, texts: list[str] | tuple[str, ...]) -> Sql:
    if len(texts) == 1:
        return sql("{0} = {1}", column, bind(texts[0]))
    return sql("{0} in ({1})", column, commas([bind(text) for text in texts]))


def _signed(attribute: Attribute, positive: Sql) -> Sql:
    return opposite(positive) if attribute.operator in ("!=", "not in") else positive
