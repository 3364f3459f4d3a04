"""Exit codes, and how an error becomes one sentence and a code."""

import sys
from typing import Any

from typer import Exit
from typer.core import TyperGroup

from api.cli import output

OK = 0
NEGATIVE = 1
USAGE = 2
UNREACHABLE = 3
INTERRUPTED = 130

MEANINGS = {
    OK: "done, and the answer is yes",
    NEGATIVE: "done, and the answer is no: bad items, a check that failed, nothing under that id",
    USAGE: "wrong usage, settings or query; nothing was done",
    UNREACHABLE: "Tidegate or the broker isn't there",
    INTERRUPTED: "interrupted by Ctrl-C",
}


class Commands(TyperGroup):
    """The root of all commands: an expected error ends it with a sentence and a code, never with a traceback."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command."""
        from streams.names import check_names

        try:
            check_names()
            return super().invoke(ctx)
        except KeyboardInterrupt:
            sys.stderr.write("\ninterrupted\n")
            raise Exit(INTERRUPTED) from None
        except Exception as error:
            code = report(error)
            if code is None:
                raise
            raise Exit(code) from None


def report(error: Exception) -> int | None:
    """Print *error* and return its exit code; None when it isn't one that is expected."""
    if isinstance(error, Exit):
        return None
    from streams.errors import BrokerError, TidegateError

    if isinstance(error, TidegateError):
        from api.client import Refused
        from api.running import NotRunning

        if isinstance(error, Refused):
            output.error(error.drawing or str(error))
            return error.exit_code
        output.error(str(error))
        if type(error).__name__ == "NoSuchPolicy":  # its module is slow to import
            return NEGATIVE
        return UNREACHABLE if isinstance(error, BrokerError | NotRunning) else USAGE
    if type(error).__module__ == "queries.errors":
        output.error(str(error))
        return USAGE
    return None
