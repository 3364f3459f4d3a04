"""`count(X) less than 1` to SQL: how many resources each account has, or each region of it, where the API is regional.

Which accounts there are, and their regions, is read from the resources: an account without any isn't known.
"""

from queries.catalog import kind_of
from queries.check import Checked
from queries.compile_clause import EVERYWHERE, Within, attribute_condition, clause_select
from queries.compile_join import compile_join
from queries.fragment import Slot, Sql, bind, join, sql
from queries.hot_table import NOTHING, Hot
from queries.names import api_cloud, is_global
from queries.syntax import And, Attribute

_RELATIONS = {"equals": "=", "does not equal": "<>", "greater than": ">", "less than": "<"}
_PLACES = ("cloud.type", "cloud.account", "cloud.account.group", "cloud.accountgroup", "cloud.region")
_COUNTED = """\
{0}, places as (
  select distinct r.account, {1} as region from {2} r where {3}
), counted as (
  select p.account, p.region, count(m.rid) as counted
  from places p left join (select m.rid, m.account, {4} as region from mine m) m using (account, region)
  group by p.account, p.region having count(m.rid) {5} {6}
)"""


def compile_count(
    checked: Checked, within: Within = EVERYWHERE, hot: Hot = NOTHING, *, by_account: bool = False
) -> Sql:
    """Return the part of a WITH that ends with `counted`: account, region (`global` where the account is counted as a
    whole) and number.
    """
    count = checked.query.count
    assert count is not None  # noqa: S101 # the caller saw it
    if checked.filter is None and len(checked.clauses) == 1:
        columns = (Sql("r.rid, r.account, r.region"),)
        select = clause_select(checked.clauses[0], within, columns, hot, columns)
        mine = sql("mine as materialized (\n  {0}\n)", select)
    else:
        tables, condition, shown = compile_join(checked, within, hot, by_account=by_account)
        mine = sql(
            "{0}, mine as materialized (select rid, account, region from {1} where {2})", tables, shown, condition
        )
    regional = is_regional(checked)
    return sql(
        _COUNTED,
        mine,
        Sql("r.region" if regional else "'global'"),
        Sql(within.table),
        _places(checked, within, regional=regional),
        Sql("m.region" if regional else "'global'"),
        Sql(_RELATIONS[count.operator]),
        bind(count.number),
    )


def is_regional(checked: Checked) -> bool:
    """Tell whether the count is by region, or of the account as a whole."""
    apis = [value.text.strip() for a in _said(checked) if a.name == "api.name" for value in a.values]
    return bool(apis) and not any(is_global(api) for api in apis)


def _said(checked: Checked) -> list[Attribute]:
    condition = checked.condition
    parts = condition.parts if isinstance(condition, And) else (condition,)
    return [part for part in parts if isinstance(part, Attribute)]


def _places(checked: Checked, within: Within, *, regional: bool) -> Sql:
    said = _said(checked)
    parts = [attribute_condition(each) for each in said if kind_of(each).name in _PLACES]
    clouds = {api_cloud(value.text.strip()) for a in said if a.name == "api.name" for value in a.values} - {""}
    parts += [sql("r.cloud = {0}", bind(cloud)) for cloud in clouds if len(clouds) == 1]
    if within.accounts:
        parts.append(Sql("r.account in (select unnest(?::varchar[]))", (Slot.ACCOUNTS,)))
    regions = [Sql("r.region not in ('', 'global')")] if regional else []
    return join(" and ", [Sql("not r.deleted"), *regions, *parts])
