"""Everything Tidegate raises on purpose, and what each one means for whoever catches it.

TidegateError
├── BadRecord        one item can't be used: dead-letter it, go on
├── SettingsError    the operator's settings are wrong: say so, stop before anything starts
├── BrokerError      the broker can't be had or reached: say so, stop
├── TopicError       a topic is missing or of another shape: name the command that repairs it, stop
├── StoreError       the store can't be opened or was written by another version: say so, stop
├── SnapshotError    a snapshot is missing, unfinished or unreadable
└── PluginError      a plug-in file breaks the one-file rule: stop at start
"""


class TidegateError(Exception):
    """Base of every deliberate error; its text is a sentence for the operator."""


class BadRecord(TidegateError):
    """An item that can't be normalised. *path* names the field, *reason* says what is wrong with its value."""

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(f"{path}: {reason}" if path else reason)
        self.path = path
        self.reason = reason


class SettingsError(TidegateError):
    """A setting is missing or wrong."""


class BrokerError(TidegateError):
    """The Kafka broker can't be fetched, started or reached."""


class TopicError(TidegateError):
    """A topic isn't there, or isn't as Tidegate needs it."""


class StoreError(TidegateError):
    """The DuckDB store can't be used."""


class SnapshotError(TidegateError):
    """A snapshot can't be used."""


class PluginError(TidegateError):
    """A plug-in module breaks the one-file-one-plug-in rule."""
