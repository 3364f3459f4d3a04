"""What a benchmark says: figures with their goals, the machine behind them, and ratios from interleaved pairs."""

import os
import platform
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median

import psutil


@dataclass(frozen=True, slots=True)
class Figure:
    """One number that was measured. With *at_least* or *at_most* it has a goal; without, it just tells."""

    key: str
    """Short and lasting, such as ratio_to_loop: what a later run is compared by."""
    what: str
    """The measurement in words: what, against what, on how much."""
    value: float
    unit: str
    """Such as messages/s, ms, MB; `x` for a ratio."""
    at_least: float | None = None
    at_most: float | None = None

    @property
    def goal(self) -> str | None:
        """The goal as text, such as `>= 0.75`; None without one."""
        if self.at_least is not None:
            return f">= {number(self.at_least)}"
        return None if self.at_most is None else f"<= {number(self.at_most)}"

    @property
    def ok(self) -> bool:
        """Whether the goal is reached; a value that isn't a number reaches none, a figure without a goal is fine."""
        if self.at_least is not None:
            return self.value >= self.at_least
        return self.at_most is None or self.value <= self.at_most

    def json(self) -> dict[str, object]:
        """Return the figure in the form that every benchmark prints."""
        value = self.value if abs(self.value) < float("inf") else None  # JSON has no NaN
        return {"key": self.key, "what": self.what, "value": value, "unit": self.unit, "goal": self.goal, "ok": self.ok}


@dataclass(frozen=True, slots=True)
class Pairs:
    """Two contestants measured by turns: *ours*[i] and *theirs*[i] ran one after the other."""

    ours: Sequence[float]
    theirs: Sequence[float]

    @property
    def ratios(self) -> list[float]:
        """Ours over theirs, pair by pair, smallest first."""
        return sorted(a / b for a, b in zip(self.ours, self.theirs, strict=True))

    def figure(self, key: str, what: str, *, at_least: float | None = None, at_most: float | None = None) -> Figure:
        """Return the median ratio as a figure that tells its spread."""
        ratios = self.ratios
        spread = f"median of {len(ratios)} pairs, {number(ratios[0])} to {number(ratios[-1])}"
        return Figure(key, f"{what} ({spread})", median(ratios), "x", at_least=at_least, at_most=at_most)


def interleaved(ours: Callable[[], float], theirs: Callable[[], float], rounds: int) -> Pairs:
    """Run both by turns, *rounds* times, so that a change of the machine's pace meets both alike.

    Each returns its own measure: both a rate, or both a time. Who begins changes every round.
    """
    a: list[float] = []
    b: list[float] = []
    for turn in range(rounds):
        for run, measured in ((ours, a), (theirs, b))[:: -1 if turn % 2 else 1]:
            measured.append(run())
    return Pairs(a, b)


def machine() -> dict[str, object]:
    """Return what a reader must know of this machine to judge a figure."""
    return {
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "memory_gb": round(psutil.virtual_memory().total / 1e9, 1),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
    }


def number(value: float) -> str:
    """Return *value* for people: no more digits than it is worth."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
