"""The console's files as a browser gets them: packed once, kept for ever at addresses that change with them."""

import gzip
import hashlib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable

PLACE = "/console/assets/"

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self';"
    " font-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none';"
    " require-trusted-types-for 'script'; trusted-types 'none'"
)
"""What the page may do: run its own files, ask its own address. No text can become script: trusted types refuse it."""

HEADERS = {
    "content-security-policy": POLICY,
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "cross-origin-opener-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
}

_TYPES = {
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
    ".json": "application/json",
    ".html": "text/html; charset=utf-8",
}


@dataclass(frozen=True, slots=True)
class File:
    """One file: its content, packed, and its type."""

    content: bytes
    packed: bytes
    type: str


@dataclass(frozen=True, slots=True)
class Assets:
    """All files by their path below `static`, and the version that their address has in it."""

    files: dict[str, File]
    version: str

    @property
    def page(self) -> File:
        """The page that every address of the console gets."""
        return self.files["index.html"]


@cache
def assets() -> Assets:
    """Return the files, read once."""
    raw = dict(sorted(_read(files("api.console").joinpath("static"), "")))
    version = hashlib.sha256(b"".join(name.encode() + body for name, body in raw.items())).hexdigest()[:12]
    page = raw["index.html"].decode()
    early = "".join(
        f'<link rel="modulepreload" href="{PLACE}{version}/{name}">\n'
        for name in raw
        if name.endswith(".js") and "/" not in name
    )
    page = page.replace("<!-- early -->\n", early).replace("{assets}", f"{PLACE}{version}")
    raw["index.html"] = page.encode()
    return Assets({name: _file(name, body) for name, body in raw.items()}, version)


def _read(folder: Traversable, before: str) -> list[tuple[str, bytes]]:
    found: list[tuple[str, bytes]] = []
    for each in folder.iterdir():
        if each.is_dir():
            found += _read(each, f"{before}{each.name}/")
        elif any(each.name.endswith(suffix) for suffix in _TYPES):
            found.append((before + each.name, each.read_bytes()))
    return found


def _file(name: str, body: bytes) -> File:
    suffix = name[name.rindex(".") :]
    return File(body, gzip.compress(body, 9, mtime=0), _TYPES[suffix])
