"""rql.md: the language, from its own tables."""

from queries.docs import page

__all__ = ["page"]
