"""The version of what is installed, and where its API lies."""

ROOT = "/api/tidegate/v1"
"""Before every path of the HTTP API."""


def version() -> str:
    """Return the version; 0 when it runs from a folder that isn't installed."""
    from importlib import metadata  # 0.05 s that most commands don't need

    try:
        return metadata.version("tidegate")
    except metadata.PackageNotFoundError:
        return "0"
