"""The characters of a query, handed out as the parser asks: the same letters are a key in one place and an operator in
another.

`allOf[*].equals equals x` has the key `equals` and the operator `equals`, and a value without quotes may hold almost
anything, so there is no list of tokens that could be made beforehand.
"""

import re
from typing import NamedTuple

from queries.errors import RqlError, Span

QUOTES = {"'": "'", '"': '"', "‘": "’‘", "’": "’‘", "“": "”“", "”": "”“"}  # noqa: RUF001 # word processors make these
"""What opens a quoted text, and what may close it."""

_BLANKS = re.compile(r"\s*")
_AFTER_WORD = re.compile(r"(?![\w.:\-])")
_KEY = re.compile(r"""[^\s.\[\](){}!=<>;,&|'"‘’“”\\$*]+""")  # noqa: RUF001
_WORD = re.compile(r"[\w.\-]+")
_ESCAPE = re.compile(r"""\\([\\'"])""")


class Token(NamedTuple):
    """A piece of the query and where it stands; *text* is unquoted and unescaped, *span* is as written."""

    text: str
    span: Span


class Reader:
    """A place in a text, moved on by what is found there. *closer* is the quote round the json.rule or filter that is
    being read.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.closer = ""

    def blanks(self) -> int:
        """Skip white space; return where that leads."""
        match = _BLANKS.match(self.text, self.at)
        self.at = match.end() if match else self.at
        return self.at

    def ahead(self, length: int = 1) -> str:
        """Return the next characters, without moving."""
        return self.text[self.at : self.at + length]

    def symbol(self, symbol: str) -> Token | None:
        """Take *symbol*, after blanks, if it comes next."""
        start = self.blanks()
        if not self.text.startswith(symbol, start):
            return None
        self.at = start + len(symbol)
        return Token(symbol, Span(start, self.at))

    def pattern(self, pattern: re.Pattern[str]) -> Token | None:
        """Take what *pattern* matches, after blanks, if that comes next."""
        start = self.blanks()
        match = pattern.match(self.text, start)
        if match is None:
            return None
        self.at = match.end()
        return Token(match.group(), Span(start, self.at))

    def keyword(self, *words: str) -> Token | None:
        """Take these words, in any case, if they come next as whole words."""
        start = at = self.blanks()
        for word in words:
            at = self._skip(at)
            end = at + len(word)
            if self.text[at:end].lower() != word or not _AFTER_WORD.match(self.text, end):
                return None
            at = end
        self.at = at
        return Token(self.text[start:at], Span(start, at))

    def word(self) -> Token | None:
        """Take the name of an attribute, alias or list: letters, digits, dots, hyphens."""
        return self.pattern(_WORD)

    def key(self) -> Token | None:
        """Take one key of a path as it may be written without quotes; no blanks before it."""
        match = _KEY.match(self.text, self.at)
        if match is None:
            return None
        start, self.at = self.at, match.end()
        return Token(match.group(), Span(start, self.at))

    def quoted(self) -> Token | None:
        """Take a text in quotes, if one comes next. `\\"` opens and closes as well, as in a rule that was escaped as a
        whole.
        """
        start = self.blanks()
        opening = start + 1 if self.text.startswith("\\", start) else start
        closers = QUOTES.get(self.text[opening : opening + 1])
        if closers is None:
            return None
        at = opening + 1
        while at < len(self.text):
            if opening > start and self.text.startswith("\\", at) and self.text[at + 1 : at + 2] in closers:
                return self._text(opening + 1, at, start, at + 2)
            if opening == start and self.text[at] == "\\" and _ESCAPE.match(self.text, at):
                at += 2
            elif opening == start and self.text[at] in closers:
                return self._text(opening + 1, at, start, at + 1)
            else:
                at += 1
        raise RqlError("this quote is never closed", self.text, Span(start, start + 1), f"close it with {closers[0]}")

    def bare(self, *, in_list: bool = False) -> Token | None:
        """Take a value without quotes: up to white space, `;`, `&&`, `||`, a quote, or a bracket that it didn't open.

        In a list it ends at the comma or the bracket and may hold blanks.
        """
        start = at = self.blanks()
        open_: list[str] = []
        while at < len(self.text):
            c = self.text[at]
            if c in ")]}":
                if not open_ or open_[-1] != c:
                    break
                open_.pop()
            elif c in "([{":
                open_.append({"(": ")", "[": "]", "{": "}"}[c])
            elif (
                (c.isspace() and not in_list)
                or c == ";"
                or c in QUOTES
                or self.text[at : at + 2] in ("&&", "||")
                or (c == "\\" and self.text[at + 1 : at + 2] in QUOTES)
                or (in_list and c == "," and not open_)
            ):
                break
            at += 1
        text = self.text[start:at].rstrip()
        if not text:
            return None
        self.at = start + len(text)
        return Token(text, Span(start, self.at))

    def rest(self) -> Span:
        """Return the span of the next word, for a message about it; at the end of the text an empty one."""
        start = self.blanks()
        match = re.compile(r"[\w.\-]+|\S|").match(self.text, start)
        return Span(start, match.end() if match else start)

    def _skip(self, at: int) -> int:
        match = _BLANKS.match(self.text, at)
        return match.end() if match else at

    def _text(self, inner: int, end: int, start: int, after: int) -> Token:
        self.at = after
        return Token(_ESCAPE.sub(r"\1", self.text[inner:end]), Span(start, after))
