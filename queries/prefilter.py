"""What the text of a document must hold for a rule to be true of it: looked for before anything is read as JSON.

Most documents hold none of the words that a rule asks for, and finding that out is many times faster than reading them.
"""

from queries.fragment import Sql, bind, join, sql
from queries.predicates import number
from queries.syntax import And, Compare, Condition, Listing, Null, Operand, Or, Path, Value, Where

SHORTEST = 4
"""How many letters a word has at least, to be worth looking for."""

_HOLDING = {
    *("equals", "contains", "starts with", "ends with", "is member of", "intersects"),
    *(f"{word} {verb}" for word in ("any", "all") for verb in ("equal", "start with", "end with")),
}
"""The operators that are true only where a value holds what stands on the right."""
_FINDING = {*_HOLDING, "exists", "is true", "is false", "greater than", "less than", ">=", "<=", "equal ignore case"}
"""Those that are true only where the path on the left finds something."""
_OUTSIDE_TEXTS = frozenset('[]{},:0123456789.eE+-truefalsn "\\')
"""What a document may hold outside its texts, and what it may write otherwise inside them."""


def prefilter(condition: Condition, document: Sql) -> Sql | None:
    """Return SQL that is true of every *document* of which *condition* is, and of few others; None: of all of them.

    A document with escapes passes: there a letter may be written otherwise.
    """
    needed = _needed(condition, document)
    return None if needed is None else sql("({0} or contains({1}, '\\'))", needed, document)


def _needed(condition: Condition, document: Sql) -> Sql | None:
    match condition:
        case And(parts):
            found = [needed for part in parts if (needed := _needed(part, document)) is not None]
            return join(" and ", found) if found else None
        case Or(parts):
            each = [_needed(part, document) for part in parts]
            found = [needed for needed in each if needed is not None]
            return join(" or ", found) if len(found) == len(each) else None
        case Compare(Path(_, steps), operator, right) if operator in _FINDING:
            inside = [s for s in steps if isinstance(s, Where)]
            if any(step.word not in ("", "any") for step in inside) or _asks_null(right):
                return None
            found = [needed for step in inside if (needed := _needed(step.condition, document)) is not None]
            held = _held(right, document) if operator in _HOLDING else None
            found += [] if held is None else [held]
            return join(" and ", found) if found else None
        case _:
            return None


def _asks_null(right: Operand | None) -> bool:
    """Tell whether *right* is also true of what isn't there."""
    items = right.items if isinstance(right, Listing) else (right,)
    return any(isinstance(item, Null) or (isinstance(item, Value) and item.text == "null") for item in items)


def _held(right: Operand | None, document: Sql) -> Sql | None:
    items = right.items if isinstance(right, Listing) else (right,)
    texts = [item.text for item in items if isinstance(item, Value) and _is_word(item.text)]
    if len(texts) < len(items) or len(texts) > 20:  # looking for more costs more than it saves
        return None
    return join(" or ", [sql("contains({0}, {1})", document, bind(text)) for text in texts])


def _is_word(text: str) -> bool:
    """Tell whether *text*, as part of a value, stands in the document as it is here."""
    plain = text.isprintable() and '"' not in text and "\\" not in text
    own = text.lower() not in ("true", "false", "null") and number(text) is None
    return len(text) >= SHORTEST and plain and own and not _OUTSIDE_TEXTS.issuperset(text)
