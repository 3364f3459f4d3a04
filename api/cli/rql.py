"""`tidegate rql`: a question, or `check` and `fmt`, which ask nothing and need nothing that runs."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from api.cli import exits, options, output

Files = Annotated[
    list[str],
    typer.Argument(metavar="FILE...", help="Queries, one a line, or JSON lines with `query`; `-` is standard input."),
]
Text = Annotated[str, typer.Argument(metavar="QUERY", help="The query; `-` reads it from standard input.")]


class AskFirst(TyperGroup):
    """What names none of its commands is a question: `tidegate rql QUERY` means `tidegate rql ask QUERY`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Put `ask` before a question."""
        if args and args[0] not in self.commands and args[0] not in ctx.help_option_names:
            args = ["ask", *args]
        return super().parse_args(ctx, args)


def group() -> typer.Typer:
    """Return the group, without the question itself."""
    app = typer.Typer(
        name="rql",
        cls=AskFirst,
        no_args_is_help=True,
        rich_markup_mode=None,
        help="Ask in RQL; check and format queries. `tidegate rql QUERY` asks.",
    )
    app.command()(check)
    app.command()(fmt)
    return app


def check(files: Files, json: options.Json = False) -> None:
    """Tell which queries can't be answered, and why.

    Needs nothing that runs. Lines that are empty or begin with `#` are skipped. The exit code is 1 if any query fails.
    """
    from queries.errors import RqlError
    from queries.run import prepared

    total = 0
    failed: list[dict[str, str]] = []
    for place, query, wrong in _queries(files):
        total += 1
        try:
            if wrong:
                raise ValueError(wrong)
            prepared(query)
            continue
        except RqlError as error:
            reason = f"{error.message} (line {error.line}, column {error.column})"
            reason += f"; {error.hint}" if error.hint else ""
        except ValueError as error:
            reason = str(error)
        failed.append({"query": query, "reason": reason})
        if not json:
            output.line(f"{place}: {output.flat(reason)}")
    if json:
        output.json_out({"total": total, "failed": failed})
    else:
        output.line(f"{total} queries, {len(failed)} failed")
    if failed:
        raise typer.Exit(exits.NEGATIVE)


def fmt(query: Text) -> None:
    """Print a query in one spelling; it means the same."""
    from queries import format, parse

    output.line(format(parse(options.question(query).strip())))


def _queries(files: list[str]) -> Iterator[tuple[str, str, str]]:
    """Yield where each query stands, its text, and what is wrong with the line if anything is."""
    for name in files:
        try:
            text = sys.stdin.read() if name == "-" else Path(name).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise typer.BadParameter(f"{name} can't be read: {error}", param_hint="FILE") from None
        for number, line in enumerate(text.splitlines(), 1):
            if line.strip() and not line.lstrip().startswith("#"):
                query, wrong = _query(line)
                yield f"{'standard input' if name == '-' else name}:{number}", query, wrong


def _query(line: str) -> tuple[str, str]:
    import json

    if not line.lstrip().startswith("{"):
        return line.strip(), ""
    try:
        document = json.loads(line)
    except ValueError as error:
        return line.strip(), f"this line is no JSON: {error}"
    query = document.get("query")
    if not isinstance(query, str):
        return line.strip(), 'wanted {"query": "..."} with a text'
    return query, ""
