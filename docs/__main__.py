"""Write the printed pages; with --check, only tell which are not current."""

import importlib
import pkgutil
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import docs

_MODULES = {
    module.name: importlib.import_module(f"docs.{module.name}")
    for module in pkgutil.iter_modules(docs.__path__)
    if not module.name.startswith("_")
}
PAGES: Mapping[str, Callable[[], str]] = {
    **{f"{name}.md": module.page for name, module in _MODULES.items()},
    **{file: made for module in _MODULES.values() for file, made in getattr(module, "MORE", {}).items()},
}
"""File in docs/ to what prints it: the function `page` of the module beside it, and those in its `MORE`."""

FOLDER = Path(__file__).parent


def main(arguments: list[str]) -> int:
    """Return the exit code: 1 when a page was asked about and is not current."""
    stale = [name for name, page in PAGES.items() if _read(FOLDER / name) != page()]
    if "--check" in arguments:
        for name in stale:
            print(f"docs/{name} is not what the code says. Run: make docs", file=sys.stderr)
        return 1 if stale else 0
    for name in stale:
        (FOLDER / name).parent.mkdir(exist_ok=True)
        (FOLDER / name).write_text(PAGES[name](), encoding="utf-8")
        print(f"wrote docs/{name}")
    return 0


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.exists() else ""


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
