"""One checked clause to a statement that finds its resources, the cheap conditions first."""

from dataclasses import dataclass

from queries.catalog import AttributeKind, kind_of
from queries.check import CheckedClause
from queries.compile_rule import compile_rule, opposite
from queries.fragment import Slot, Sql, bind, commas, join, sql
from queries.hot import Cold, Lookup
from queries.hot_table import NOTHING, Hot, HotTable
from queries.members import Members, Scope, members, names
from queries.names import SOURCES, is_product
from queries.syntax import And, AnyKey, Attribute, Compare, Condition, JsonRule, Key, Not, OneFinding, Or, Path

LIVE = Sql("not f.deleted and f.status = 'open'")
"""What a finding must be to count."""

# `met.rid >= 0` is always true: because of it documents are read after the join, only those of resources with a finding
_BY_FINDING = """\
with met as materialized (
  select distinct fr.rid from finding_resource fr join findings f using (fid) where {0}
)
  select {1} from {2} r join met on r.rid = met.rid
  where ({3}) and case when met.rid >= 0 then {4} end"""
_FINDINGS = "r.rid in (select fr.rid from finding_resource fr join findings f using (fid) where {0})"
_NAMED = "r.rid, r.rrn"
_HOT = "select {0} from resources r join {1} h on r.rid = h.rid and r.part = h.part{2}\n  where {3}"
_UNCHANGED = " anti join hot_pending p on r.rid = p.rid"


@dataclass(frozen=True, slots=True)
class Within:
    """Where to look: every resource, or those in TOUCHED, which the statement makes, or those of the accounts that fill
    Slot.ACCOUNTS.
    """

    touched: bool = False
    accounts: bool = False

    @property
    def table(self) -> str:
        """The table of the resources."""
        return "touched" if self.touched else "resources"


EVERYWHERE = Within()
TOUCHED = Sql(
    "touched as materialized (select * from resources where rid in (select unnest(?::ubigint[])))", (Slot.RIDS,)
)
"""The part of a WITH that makes the table of the resources that fill Slot.RIDS."""


def clause_select(
    clause: CheckedClause,
    within: Within = EVERYWHERE,
    columns: tuple[Sql, ...] = (Sql(_NAMED),),
    hot: Hot = NOTHING,
    hot_columns: tuple[Sql, ...] | None = None,
) -> Sql:
    """Return the statement that selects *columns* of the resources `r` of *clause*. *hot_columns*: the same of the hot
    columns `h`, None where these don't hold them.
    """
    table = hot_table(clause, hot)
    documents = any(_cost(part) == _DOCUMENT for part in _parts(clause))
    if table is None or hot_columns is None or within != EVERYWHERE or not (documents or hot_columns != columns):
        return _cold_select(clause, within, columns)
    try:
        met = join(" and ", _compiled(_parts(clause), clause, within, table.columns))
    except Cold:
        return _cold_select(clause, within, columns)
    select = sql(_HOT, commas(list(hot_columns)), Sql(table.name), Sql(_UNCHANGED if hot.pending else ""), met)
    if not hot.pending:
        return select
    changed = Sql("r.rowid in (select unnest(?::bigint[]))", (Slot.PENDING,))
    return sql("{0}\n  union all {1}", select, _plain_select(clause, within, columns, changed))


def hot_table(clause: CheckedClause, hot: Hot) -> HotTable | None:
    """Return the table of the one API that *clause* asks, if it has hot columns."""
    name = api_name(clause)
    return None if name is None else hot.tables.get(name)


def api_name(clause: CheckedClause) -> str | None:
    """Return the one api.name that every resource of *clause* has, None where there may be several."""
    for part in _parts(clause):
        match part:
            case Attribute("api.name", "=" | "in", (value,)):
                return value.text.strip()
    return None


def _cold_select(clause: CheckedClause, within: Within, columns: tuple[Sql, ...]) -> Sql:
    parts = _parts(clause)
    findings = [part for part in parts if isinstance(part, OneFinding)]
    documents = [part for part in parts if _cost(part) == _DOCUMENT]
    if not findings or not documents:
        return _plain_select(clause, within, columns)
    met = join(" and ", [LIVE, *_narrowed(within), *(finding(part.condition) for part in findings)])
    others = [part for part in parts if part not in findings and part not in documents]
    early = _compiled(others, clause, within) or [Sql("true")]
    late = join(" and ", [_condition(part, within) for part in documents])
    return sql(_BY_FINDING, met, commas(list(columns)), Sql(within.table), join(" and ", early), late)


def _plain_select(clause: CheckedClause, within: Within, columns: tuple[Sql, ...], first: Sql | None = None) -> Sql:
    condition = clause_condition(clause, within)
    condition = condition if first is None else sql("{0} and ({1})", first, condition)
    return sql("select {0} from {1} r\n  where {2}", commas(list(columns)), Sql(within.table), condition)


def clause_condition(clause: CheckedClause, within: Within = EVERYWHERE) -> Sql:
    """Return the condition on `resources r` that *clause* stands for."""
    return join(" and ", _compiled(_parts(clause), clause, within))


def finding(condition: Condition) -> Sql:
    """Return *condition*, of finding.* alone, as SQL on `findings f`."""
    match condition:
        case And(parts):
            return join(" and ", [finding(part) for part in parts])
        case Or(parts):
            return join(" or ", [finding(part) for part in parts])
        case Attribute():
            return _signed(condition, join(" or ", _finding_attribute(condition, kind_of(condition))))
        case _:
            raise AssertionError(condition)


def _parts(clause: CheckedClause) -> list[Condition]:
    parts = clause.condition.parts if isinstance(clause.condition, And) else (clause.condition,)
    return sorted(parts, key=_cost)


def _compiled(parts: list[Condition], clause: CheckedClause, within: Within, hot: Lookup | None = None) -> list[Sql]:
    compiled = [_condition(part, within, hot) for part in parts]
    cheap = sum(_cost(part) == 0 for part in parts)
    early, late = compiled[:cheap], compiled[cheap:]
    if not clause.any_status:
        early.append(Sql("not r.deleted"))
    if within.accounts:  # documents are read only where the account is one of them, whatever order the plan has
        owned = Sql("list_contains(?::varchar[], r.account)", (Slot.ACCOUNTS,))
        return [*early, sql("case when {0} then {1} end", owned, join(" and ", late)) if late else owned]
    return [*early, *late]


def _narrowed(within: Within) -> list[Sql]:
    """Return what findings must meet as well, so that no others are looked at."""
    touched = [Sql("fr.rid in (select rid from touched)")] if within.touched else []
    return [
        *touched,
        *([Sql("f.account in (select unnest(?::varchar[]))", (Slot.ACCOUNTS,))] if within.accounts else []),
    ]


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


def _condition(condition: Condition, within: Within, hot: Lookup | None = None) -> Sql:
    match condition:
        case And(parts):
            return join(" and ", [_condition(part, within, hot) for part in parts])
        case Or(parts):
            return join(" or ", [_condition(part, within, hot) for part in parts])
        case Not(inner):
            return opposite(_condition(inner, within, hot))
        case Attribute():
            return attribute_condition(condition)
        case OneFinding(inner):
            return sql(_FINDINGS, join(" and ", [LIVE, *_narrowed(within), finding(inner)]))
        case JsonRule(inner):
            return compile_rule(inner, Sql("r.json"), hot)
        case Compare():
            raise AssertionError(condition)


def attribute_condition(attribute: Attribute) -> Sql:
    """Return *attribute*, not of a finding, as SQL on `resources r`."""
    kind = kind_of(attribute)
    if kind.looks == "tag":
        return _tag(attribute)
    texts = tuple(dict.fromkeys(text for value in attribute.values for text in kind.read(value.text)))
    return _signed(attribute, _among(Sql(kind.column), texts))


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
    """The value of a key; `tag(Any)`: some tag's, `tag(All)`: every tag's, where there is one."""
    scope = Scope(Sql("r.tags"), Sql("r.tags"), names(), lambda condition, _: _condition(condition, EVERYWHERE))
    word = (attribute.argument or "").lower()
    step = AnyKey() if word in ("any", "all") else Key(attribute.argument or "")
    found: Members = members(Path("", (step,)), scope)
    if attribute.operator in ("exists", "does not exist"):
        return found.there() if attribute.operator == "exists" else opposite(found.there())
    texts = [value.text for value in attribute.values]
    if word == "all":
        return _signed(attribute, found.every(lambda value: _among(sql("({0} ->> '$')", value), texts)))
    return _signed(attribute, found.some(lambda value: _among(value, texts)))


def _among(column: Sql, texts: list[str] | tuple[str, ...]) -> Sql:
    if not texts:
        return Sql("false")
    if len(texts) == 1:
        return sql("{0} = {1}", column, bind(texts[0]))
    return sql("{0} in ({1})", column, commas([bind(text) for text in texts]))


def _signed(attribute: Attribute, positive: Sql) -> Sql:
    return opposite(positive) if attribute.operator in ("!=", "not in") else positive
