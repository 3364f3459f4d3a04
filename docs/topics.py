"""topics.md."""


def page() -> str:
    """Return it."""
    return ""
