"""What is raised when an object of the control plane can't be had, changed or read.

TidegateError
└── ControlError
    ├── Refused    the object is wrong, or refers to what isn't there: a line for each thing that is wrong
    ├── Missing    there is no such kind or object
    ├── Stale      somebody else changed it since it was read
    ├── InUse      others refer to it, so it can't go
    └── SealError  a secret can't be sealed or opened: the key is missing or another one
"""

from collections.abc import Sequence

from streams.errors import TidegateError


class ControlError(TidegateError):
    """Base of all."""


class Refused(ControlError):
    """Nothing was written. *lines*: a sentence for each thing that is wrong, with its object and field."""

    def __init__(self, lines: Sequence[str]) -> None:
        super().__init__("\n".join(lines))
        self.lines = tuple(lines)


class Missing(ControlError):
    """There is no such kind, or no such object of it."""


class Stale(ControlError):
    """Nothing was written: *expected* is the version that was changed, *found* the one that there is."""

    def __init__(self, message: str, expected: int, found: int) -> None:
        super().__init__(message)
        self.expected = expected
        self.found = found


class InUse(ControlError):
    """Nothing was deleted: others refer to it, and the text names them."""


class SealError(ControlError):
    """A secret can't be sealed or opened."""
