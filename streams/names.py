"""Our packages have common names: prove at start that Python found ours and nobody else's.

Every command begins with this, so what takes long to import is imported where it's needed.
"""

from importlib.util import find_spec
from pathlib import Path

from streams.errors import TidegateError

NAMES = ("queries", "streams", "agents", "api")
"""The top-level packages of the distribution `tidegate`."""


def check_names(root: Path = Path(__file__).parents[1]) -> None:
    """Raise TidegateError when one of our packages is not the one beside this file, or was overwritten by another.

    pip lets two distributions own the same name without a word, and the import path decides which one runs.
    """
    for name in NAMES:
        spec = find_spec(name)
        found = Path(spec.origin).parent if spec and spec.origin else None
        if found is None or found.resolve() != (root / name).resolve():
            raise TidegateError(
                _sentence(name, f"Python finds {found or 'none'}, where Tidegate's own is {root / name}")
            )
        if _overwritten(root, found / "__init__.py"):
            raise TidegateError(_sentence(name, f"{found / '__init__.py'} is not the file that Tidegate installed"))


def owners(name: str) -> set[str]:
    """Return the installed distributions, ours apart, that own the package *name*. Reads every RECORD: 0.2 s."""
    from importlib.metadata import packages_distributions

    return set(packages_distributions().get(name, ())) - {"tidegate"}


def _overwritten(root: Path, file: Path) -> bool:
    """Tell whether *file* differs from what our wheel brought to *root*; in a checkout there is no record of it."""
    if next(root.glob("tidegate-*.dist-info"), None) is None:
        return False
    import base64
    import hashlib
    from importlib.metadata import distributions

    for known in (known for ours in distributions(name="tidegate", path=[str(root)]) for known in ours.files or ()):
        if known.hash and known.name == file.name and Path(str(known.locate())).resolve() == file.resolve():
            digest = hashlib.new(known.hash.mode, file.read_bytes()).digest()
            return base64.urlsafe_b64encode(digest).rstrip(b"=").decode() != known.hash.value
    return False


def _sentence(name: str, what: str) -> str:
    others = ", ".join(sorted(owners(name)))
    return (
        f"the package {name!r} is not Tidegate's: {what}"
        + (f"; {others} installs a package of that name too" if others else "")
        + ". Give Tidegate a Python environment of its own: `make install`, then .venv/bin/tidegate"
    )
