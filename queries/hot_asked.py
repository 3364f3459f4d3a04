"""Which hot paths a query would be answered from."""

from queries.check import Checked
from queries.compile import matched
from queries.compile_clause import api_name
from queries.hot import Asked, HotPath
from queries.hot_table import Hot, HotTable


def asked(checked: Checked) -> dict[str, frozenset[HotPath]]:
    """Return the paths that *checked* asks, by api.name: were they hot, no document would be read for it. APIs of which
    whole documents are asked aren't here, nor is what is asked of several at once.
    """
    notes = {name: Asked() for clause in checked.clauses if (name := api_name(clause)) is not None}
    matched(checked, hot=Hot({name: HotTable(0, name, (), note) for name, note in notes.items()}))
    return {name: note.paths for name, note in notes.items() if note.paths and not note.whole}
