"""List the benchmarks, or run one: python -m bench [NAME [--quick] [--json]]."""

import argparse
import ast
import importlib
import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from bench.figures import Figure, machine, number

FOLDER = Path(__file__).parent


def main(arguments: Sequence[str]) -> int:
    """Return the exit code: 1 when a figure misses its goal, 2 when there is no such benchmark."""
    parser = argparse.ArgumentParser("python -m bench", description="Measure Tidegate against floors and peers.")
    parser.add_argument("name", nargs="?", help="the benchmark; none: list them")
    parser.add_argument("--quick", action="store_true", help="at most 45 seconds, on less data")
    parser.add_argument("--json", action="store_true", help="one JSON object on standard output")
    asked = parser.parse_args(arguments)
    known = benchmarks()
    if asked.name is None:
        _list(known, asked.json)
        return 0
    if asked.name not in known:
        print(f"no benchmark {asked.name!r}; there are: {', '.join(known) or 'none'}", file=sys.stderr)
        return 2
    started = time.monotonic()
    figures: list[Figure] = importlib.import_module(f"bench.{asked.name}").run(quick=asked.quick)
    if asked.json:
        told = {"bench": asked.name, "machine": machine(), "figures": [figure.json() for figure in figures]}
        print(json.dumps(told, indent=2))
    else:
        _table(asked.name, figures, time.monotonic() - started)
    return 0 if all(figure.ok for figure in figures) else 1


def benchmarks() -> dict[str, str]:
    """Map each benchmark to the first line of its docstring. Reads the files, imports none of them."""
    found: dict[str, str] = {}
    for path in sorted(FOLDER.glob("[!_]*.py")):
        module = ast.parse(path.read_text(encoding="utf-8"))
        if any(isinstance(node, ast.FunctionDef) and node.name == "run" for node in module.body):
            found[path.stem] = (ast.get_docstring(module) or "").partition("\n")[0]
    return found


def _list(known: dict[str, str], as_json: bool) -> None:
    if as_json:
        print(json.dumps([{"bench": name, "about": about} for name, about in known.items()], indent=2))
        return
    width = max(map(len, known), default=0)
    for name, about in known.items():
        print(f"{name:{width}}  {about}")
    print("\nrun one: python -m bench NAME [--quick] [--json]")


def _table(name: str, figures: Sequence[Figure], seconds: float) -> None:
    told = machine()
    table = Table(
        title=f"{name}, on {told['cores']} cores, Python {told['python']}, {seconds:.0f} s", title_justify="left"
    )
    for column in ("figure", "what"):
        table.add_column(column, overflow="fold")
    for column in ("value", "unit", "goal", ""):
        table.add_column(column, justify="right" if column == "value" else "left", no_wrap=True)
    for figure in figures:
        verdict = "" if figure.goal is None else "[green]ok[/]" if figure.ok else "[red]missed[/]"
        table.add_row(figure.key, figure.what, number(figure.value), figure.unit, figure.goal or "", verdict)
    Console().print(table)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
