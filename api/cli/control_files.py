"""Objects in files: YAML and JSON read with the place of each, and objects written as YAML that people can read."""

import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from streams.errors import TidegateError

SUFFIXES = (".yaml", ".yml", ".json")
STDIN = Path("-")
"""Stands for standard input, in YAML or JSON."""


class FilesError(TidegateError):
    """Files of objects can't be read; a line for each thing that is wrong."""


@dataclass(frozen=True, slots=True)
class Read:
    """One object of a file. *source*: the file, and which one of several within it."""

    kind: str
    document: dict[str, Any]
    source: str


def read(places: list[Path]) -> list[Read]:
    """Return the objects of all files, and of those in all folders, below them too, by their names.

    A mapping is one object, a list one an entry, a YAML file may have several documents. Each has `kind`; in a folder
    that is named as a kind, such as `alert-rules`, it may be left out, and the file's name is the id of one without.
    Raises FilesError.
    """
    wrong: list[str] = []
    found: list[Read] = []
    for path in (file for place in places for file in _files(place, wrong)):
        try:
            documents = list(_documents(path))
        except FilesError as error:
            wrong.append(str(error))
            continue
        for number, document in enumerate(documents, 1):
            source = str(path) if len(documents) == 1 else f"{path}, object {number}"
            if not isinstance(document, dict) or not all(isinstance(name, str) for name in document):
                wrong.append(f"{source}: wanted an object: `kind: ...` and its fields")
                continue
            kind = document.pop("kind", path.parent.name)
            if "id" not in document and len(documents) == 1 and kind == path.parent.name:
                document["id"] = path.stem
            if not isinstance(kind, str):
                wrong.append(f"{source}: kind: wanted a text, such as alert-rule")
            else:
                found.append(Read(kind, document, source))
    if wrong:
        raise FilesError("\n".join(wrong))
    return found


def as_yaml(document: dict[str, Any]) -> str:
    """Return *document* as YAML in its own order, long texts as blocks."""
    import yaml

    class Dumper(yaml.SafeDumper):
        pass

    def text(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
        return dumper.represent_scalar("tag:yaml.org,2002:str", value, style="|" if "\n" in value else None)

    Dumper.add_representer(str, text)
    return yaml.dump(document, Dumper=Dumper, sort_keys=False, allow_unicode=True, width=110)


def _files(place: Path, wrong: list[str]) -> Iterator[Path]:
    if place == STDIN:
        yield place
    elif place.is_dir():
        names = [path for path in sorted(place.rglob("*")) if path.suffix in SUFFIXES and path.is_file()]
        if not names:
            wrong.append(f"{place}: no file there ends in {', '.join(SUFFIXES)}")
        yield from names
    elif place.is_file():
        yield place
    else:
        wrong.append(f"{place}: no such file or folder")


def _documents(path: Path) -> Iterator[Any]:
    """Yield the objects of a file. Raises FilesError."""
    import yaml

    class OneKeyOnce(yaml.SafeLoader):
        """A key that stands twice is a mistake, not the last one's win."""

        def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
            seen: set[Any] = set()
            for key, _ in node.value:
                if isinstance(key, yaml.ScalarNode):
                    if key.value in seen:
                        problem = f"{key.value}: stands there twice"
                        raise yaml.MarkedYAMLError(problem=problem, problem_mark=key.start_mark)
                    seen.add(key.value)
            return super().construct_mapping(node, deep)

    try:
        text = sys.stdin.read() if path == STDIN else path.read_text(encoding="utf-8")
        documents = (
            [json.loads(text)]
            if path.suffix == ".json"
            else [each for each in yaml.load_all(text, OneKeyOnce) if each is not None]  # a safe loader
        )
    except (OSError, UnicodeDecodeError) as error:
        raise FilesError(f"{path}: can't be read: {error}") from None
    except json.JSONDecodeError as error:
        raise FilesError(f"{path}: line {error.lineno}: not JSON: {error.msg}") from None
    except yaml.MarkedYAMLError as error:  # its own text shows the line, in which a secret may be
        place = f"line {error.problem_mark.line + 1}: " if error.problem_mark else ""
        raise FilesError(f"{path}: {place}not YAML: {error.problem}") from None
    except yaml.YAMLError as error:
        raise FilesError(f"{path}: not YAML: {type(error).__name__}") from None
    for document in documents:
        yield from document if isinstance(document, list) else [document]
