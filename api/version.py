"""The version of what is installed, and where its API lies."""

from importlib.metadata import PackageNotFoundError, version

ROOT = "/api/tidegate/v1"
"""Before every path of the HTTP API."""


def _version() -> str:
    try:
        return version("tidegate")
    except PackageNotFoundError:  # run from a folder that isn't installed
        return "0"


VERSION = _version()
