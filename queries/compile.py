"""Checked tree to one SQL statement and its values. Nothing that a user wrote becomes SQL text."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from queries.check import Checked
from queries.compile_clause import EVERYWHERE, LIVE, TOUCHED, Within, clause_condition, clause_select, finding
from queries.compile_count import compile_count
from queries.compile_join import compile_join
from queries.compile_rule import column
from queries.fragment import Slot, Sql, commas, filled, join, sql
from queries.hot_table import NOTHING, Hot

RESOURCE_COLUMNS = ("account", "region", "api.name", "id", "name", "rrn")
FINDING_COLUMNS = ("finding.severity", "finding.type", "finding.source", "finding.name", "findings")
COUNT_COLUMNS = ("account", "region", "count")

_MATCHED = "{0}matched as materialized (\n  {1}\n)"
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
_COUNTED = """\
with {0}
select account, region, counted as "count", count(*) over () as total from counted
order by account, region limit {1} offset {2}"""
_OF_RESOURCE = (Sql("r.rid, r.rrn, r.account, r.region"),)
_LIMIT = Sql("?", (Slot.LIMIT,))
_OFFSET = Sql("?", (Slot.OFFSET,))


def compile(checked: Checked, now: datetime, *, limit: int | None = None, offset: int = 0) -> Sql:
    """Return the statement that answers *checked*: RESOURCE_COLUMNS, FINDING_COLUMNS where findings were asked for, the
    columns of addcolumn as JSON text, and how many resources there are in all; for count COUNT_COLUMNS and how many
    such rows. *now* is the time that age functions count from.
    """
    prepared = prepare(checked)
    return prepared._replace(values=tuple(filled(prepared, slots(checked, now, limit=limit, offset=offset))))


def prepare(checked: Checked, hot: Hot = NOTHING, *, by_account: bool = False) -> Sql:
    """Return that statement with slots for what changes from run to run. *by_account*: only resources of one account
    are joined.
    """
    if checked.query.count:
        return sql(_COUNTED, compile_count(checked, hot=hot, by_account=by_account), _LIMIT, _OFFSET)
    page = sql(_PAGE, _LIMIT, _OFFSET)
    selected = [Sql(f'r.{name.replace("api.name", "api_name")} as "{name}"') for name in RESOURCE_COLUMNS]
    source = Sql("page join resources r using (rid)")
    met = finding_condition(checked)
    if met is not None:
        page = sql("{0}{1}", page, sql(_WORST, met))
        selected += [
            Sql(f'worst.finding.{name} as "finding.{name}"') for name in ("severity", "type", "source", "name")
        ]
        selected.append(Sql("coalesce(worst.findings, 0) as findings"))
        source = Sql(f"{source.text} left join worst using (rid)")
    selected += [sql(f"{{0}} as added{n}", column(path, Sql("r.json"))) for n, path in enumerate(checked.columns)]
    selected.append(Sql("page.total"))
    rows = matched(checked, hot=hot, by_account=by_account)
    return sql("with {0}{1}\nselect {2}\nfrom {3}\norder by r.rrn", rows, page, commas(selected), source)


def prepare_subjects(checked: Checked, within: Within) -> Sql:
    """Return the statement that selects rid, rrn, account and region of all that *checked* finds *within*, joined by
    account; for count rid and rrn are NULL, region too where the account is counted as a whole. It has slots.
    """
    made = [TOUCHED] if within.touched else []
    if checked.query.count:
        made.append(compile_count(checked, within, by_account=True))
        return sql("with {0} select null, null, account, nullif(region, 'global') from counted", commas(made))
    made.append(matched(checked, within, by_account=True))
    return sql("with {0} select rid, rrn, account, region from matched", commas(made))


def total_of(checked: Checked, hot: Hot = NOTHING, *, by_account: bool = False) -> Sql:
    """Return the statement that counts the rows of the answer, with the slots that it has."""
    if checked.query.count:
        return sql("with {0} select count(*) from counted", compile_count(checked, hot=hot, by_account=by_account))
    return sql("with {0} select count(*) from matched", matched(checked, hot=hot, by_account=by_account))


def slots(
    checked: Checked,
    now: datetime,
    *,
    limit: int | None = None,
    offset: int = 0,
    monitored: Sequence[str] = (),
    pending: Sequence[int] = (),
) -> dict[Slot, Any]:
    """Return what fills the slots of a prepared statement. The query's own limit counts, whatever *limit* is."""
    asked = checked.query.limit
    most = limit if asked is None else max(0, min(asked - offset, asked if limit is None else limit))
    return {
        Slot.NOW: int(now.timestamp() * 1000),
        Slot.LIMIT: most,
        Slot.OFFSET: offset,
        Slot.MONITORED: list(monitored),
        Slot.PENDING: list(pending),
    }


def matched(checked: Checked, within: Within = EVERYWHERE, hot: Hot = NOTHING, *, by_account: bool = False) -> Sql:
    """Return the part of a WITH that ends with `matched`: rid, rrn, account and region of each resource of the
    answer.
    """
    if checked.filter is None and len(checked.clauses) == 1:
        select = clause_select(checked.clauses[0], within, _OF_RESOURCE, hot, _OF_RESOURCE)
        return sql(_MATCHED, Sql(""), select)
    tables, condition, shown = compile_join(checked, within, hot, by_account=by_account)
    select = sql("select rid, rrn, account, region from {0} where {1}", shown, condition)
    return sql(_MATCHED, sql("{0}, ", tables), select)


def condition(checked: Checked) -> Sql:
    """Return the condition on `resources r` that the clause which is shown stands for, the cheap parts first."""
    return clause_condition(checked.clauses[checked.shown])


def finding_condition(checked: Checked) -> Sql | None:
    """Return the condition on `findings f` that the findings of a row of the answer meet; None: none are asked for."""
    if not checked.findings:
        return None
    return join(" and ", [LIVE, join(" or ", [finding(one.condition) for one in checked.findings])])
