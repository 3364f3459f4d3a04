"""Read a document as an object of its kind, or say what is wrong so that its author can mend it; secrets never show."""

from collections.abc import Mapping
from typing import Any, get_args, get_origin

from pydantic import BaseModel, SecretStr, ValidationError
from pydantic_core import ErrorDetails

from queries.errors import QueryError, nearest
from streams.control.documents import ABSENT, Document, Path, at, placed, spelled, texts
from streams.control.errors import Refused, SealError
from streams.control.kinds import ID, Kind
from streams.control.record import Held
from streams.control.seal import MASK, Keys, is_reference
from streams.errors import TidegateError


def read(kind: Kind, id: str, document: Document, *, new: bool = True) -> BaseModel:
    """Return *document*, its secrets in clear, as the object *id*; *new*: it is to be written, not only read.

    Raises Refused with a line for each fault.
    """
    label = f"{kind.name} {id}"
    if not ID.fullmatch(id):
        raise Refused(
            [f"{label:.120}: id: wanted letters, digits and any of . _ @ : + -, at most 200, a letter or digit first"]
        )
    if document.get("id", id) != id:
        raise Refused([f"{label}: id: {document['id']!r:.80} within the document: leave it out, or make it the same"])
    if inner := [name for name, field in kind.model.model_fields.items() if field.exclude and name in document]:
        raise Refused([f"{label}: {name}: there is no such field" for name in inner])
    hidden = {
        path: SecretStr(text)
        for path in kind.secrets(document)
        if isinstance(text := at(document, path), str) and not is_reference(text)
    }
    try:
        made = kind.model.model_validate({**placed(document, hidden), "id": id})
    except ValidationError as error:
        raise Refused([f"{label}: {_line(kind, e)}" for e in error.errors(include_url=False)]) from None
    try:
        kind.check(made)
        if new:
            kind.check_new(made)
    except Refused as refused:
        raise Refused([f"{label}: {line}" for line in refused.lines]) from None
    except (ValueError, TidegateError, QueryError) as error:
        raise Refused([f"{label}: {error}"]) from None
    return made


def refuse_references(kind: Kind, id: str, document: Document, before: Document) -> None:
    """Raise Refused for each `env:` or `file:` that *before* hasn't at the same place.

    Who may follow them reads the environment and the files of the machine: the operator's matter, not every user's.
    """
    wrong = [
        f"{kind.name} {id}: {spelled(path)}: {text.partition(':')[0]}: is the operator's to write: give the value"
        for name in sorted(kind.hidden() & document.keys())
        for path, text in texts(document[name], (name,))
        if is_reference(text) and at(before, path) != text
    ]
    if wrong:
        raise Refused(wrong)


def unmasked(kind: Kind, id: str, document: Document, before: Document) -> Document:
    """Return *document* with each secret that is masked taken from *before*, at the same place, in clear.

    Raises Refused where there is none.
    """
    kept = {path: at(before, path) for path in kind.secrets(document) if at(document, path) == MASK}
    wrong = [path for path, text in kept.items() if text is ABSENT]
    if wrong:
        raise Refused(
            [
                f"{kind.name} {id}: {spelled(path)}: {MASK} stands for a secret that is there, and none is:"
                " give the secret, or where it is, env:NAME or file:PATH"
                for path in wrong
            ]
        )
    return dict(placed(document, kept))


def revealed(kind: Kind, made: BaseModel) -> Document:
    """Return an object as JSON with its secrets in clear, at the places where it shows them."""
    document: Document = made.model_dump(mode="json")
    clear = made.model_dump()
    values = {}
    for path in kind.secrets(document):
        text = at(clear, path)
        values[path] = text.get_secret_value() if isinstance(text, SecretStr) else text
    return dict(placed(document, values))


def sealed(kind: Kind, id: str, document: Document, keys: Keys) -> Document:
    """Return *document*, its secrets in clear, as it may lie on a topic. Raises SealError."""
    return dict(
        placed(
            document,
            {
                path: keys.seal(text, _place(kind, id, path))
                for path in kind.secrets(document)
                if isinstance(text := at(document, path), str) and text and not is_reference(text)
            },
        )
    )


def again(kind: Kind, held: Held, keys: Keys) -> Document | None:
    """Return *held*'s stored document sealed with the first key, None where it is already. Raises SealError."""
    stored = held.stored
    texts = [text for path in kind.secrets(stored) if isinstance(text := at(stored, path), str) and text]
    if all(is_reference(text) or keys.is_current(text) for text in texts):
        return None
    return sealed(kind, held.id, opened(kind, held.id, stored, keys), keys)


def opened(kind: Kind, id: str, document: Document, keys: Keys) -> Document:
    """Return what `sealed` gave with its secrets in clear. Raises SealError that names the field."""
    clear = {}
    for path in kind.secrets(document):
        text = at(document, path)
        if isinstance(text, str):
            try:
                clear[path] = keys.open(text, _place(kind, id, path))
            except SealError as error:
                raise SealError(f"{kind.name} {id}: {spelled(path)}: {error}") from None
    return dict(placed(document, clear))


def _place(kind: Kind, id: str, path: Path) -> str:
    return f"{kind.name}|{id}|{spelled(path)}"


def _line(kind: Kind, error: ErrorDetails) -> str:
    """One of pydantic's findings: the field, the value unless a secret may be in it, the way out."""
    path: Path = error["loc"]
    field = spelled(path)
    got = "" if not path or path[0] in kind.hidden() or error["type"] == "missing" else f", got {error['input']!r:.80}"
    known = _fields(kind.model, path[:-1])
    match error["type"]:
        case "extra_forbidden" if path:
            names = [name for name in known if name != "id"]
            return f"{field}: there is no such field; {nearest(str(path[-1]), names) or 'known: ' + ', '.join(names)}"
        case "missing":
            about = getattr(known.get(str(path[-1])), "description", None)
            return f"{field}: missing" + (f": {about}" if about else "")
        case "literal_error" if got:
            hint = nearest(str(error["input"]), _texts(error.get("ctx", {})))
            return f"{field}: {error['msg']}{got}" + (f"; {hint}" if hint else "")
    return f"{field}: {error['msg'].removeprefix('Value error, ')}{got}".removeprefix(": ")


def _texts(context: Mapping[str, Any]) -> list[str]:
    """Return the values that a Literal allows, out of pydantic's sentence."""
    return [
        part for part in str(context.get("expected", "")).replace(" or ", ", ").replace("'", "").split(", ") if part
    ]


def _fields(model: Any, path: Path) -> dict[str, Any]:
    """Return the fields of the model that stands at *path* within *model*; none where that can't be told."""
    for part in path:
        if isinstance(part, str) and isinstance(model, type) and issubclass(model, BaseModel):
            field = model.model_fields.get(part)
            model = field.annotation if field else None
        while get_origin(model) is not None:
            model = next((each for each in get_args(model) if each not in (type(None), ...)), None)
    return dict(model.model_fields) if isinstance(model, type) and issubclass(model, BaseModel) else {}
