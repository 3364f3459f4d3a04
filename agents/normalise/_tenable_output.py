"""Which packages a plugin's output names, with the version that mends them: it's prose, in a few set forms."""

import re
from typing import Any

from agents.normalise._vulnerability import distinct, line, package
from streams.records import Package

MAX_OUTPUT = 16_384
"""How much of an output is looked at, in characters."""


def packages(output: Any, name: str) -> list[Package]:
    """Return what *output* says is installed and should be. *name* is the plugin's, where only versions are told."""
    if type(output) is not str or ("Installed" not in output and "installed" not in output):
        return []
    text = output[:MAX_OUTPUT]
    if pairs := _PACKAGES.findall(text):
        return distinct(_package(installed, wanted) for installed, wanted in pairs)
    installed = _INSTALLED.findall(text)
    fixed, paths = _FIXED.findall(text), _PATH.findall(text)
    product = line(_BEFORE.split(name)[0])
    return distinct(
        package(product, version, fixed[at] if at < len(fixed) else "", path=paths[at] if at < len(paths) else "")
        for at, version in enumerate(installed)
    )


def _package(installed: str, wanted: str) -> Package | None:
    """Return a package of the two that are and should be installed: `openssl-1.0.2k-19.el7`, `curl_7.68.0-1`."""
    match = _DEB.fullmatch(installed) or _RPM.fullmatch(installed)
    if match is None:
        return package(installed, None, wanted, "OS")
    name, divider, version = match.groups()
    return package(name, version, wanted.removeprefix(f"{name}{divider}"), "OS")


_DEB = re.compile(r"([a-z0-9][a-z0-9+.\-]+)(_)(\d[^_]*)", re.ASCII)
_RPM = re.compile(r"(\S+)(-)([^-]+-[^-]+)", re.ASCII)
_PACKAGES = re.compile(
    r"(?:Remote package installed|Installed package)\s*: (\S{1,300})\s+(?:Should be|Fixed package)\s*: (\S{1,300})"
)
_INSTALLED = re.compile(r"Installed version\s*: ([^\r\n]{1,200})")
_FIXED = re.compile(r"(?:Fixed version|Should be)\s*: ([^\r\n]{1,200})")
_PATH = re.compile(r"(?:Path|File)\s*: ([^\r\n]{1,500})")
_BEFORE = re.compile(r" (?:<|&lt;|[0-9]+\.|Multiple |Detection)")
