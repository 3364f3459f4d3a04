"""`python -m queries explain QUERY` shows a query at every stage; `python -m queries --docs` prints docs/rql.md."""

import sys
from datetime import UTC, datetime
from pprint import pformat

from queries.docs import page
from queries.errors import RqlError
from queries.run import explain

_USAGE = "python -m queries explain QUERY | python -m queries --docs"


def main(arguments: list[str]) -> int:
    """Do what *arguments* say; return the exit code."""
    match arguments:
        case ["--docs"]:
            sys.stdout.write(page())
        case ["explain", text]:
            try:
                told = explain(text, datetime.now(UTC))
            except RqlError as error:
                sys.stderr.write(f"{error}\n")
                return 1
            tree = pformat(told.checked.condition, width=120)
            values = "\n".join(f"{n:3} {value!r}" for n, value in enumerate(told.sql.values, 1))
            sys.stdout.write(f"{told.formatted}\n\n{tree}\n\n{told.sql.text}\n\n{values}\n")
        case _:
            sys.stderr.write(f"usage: {_USAGE}\n")
            return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
