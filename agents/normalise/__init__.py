"""Inbound sources, one file each. Read `_base.py`, then `guardduty.py`."""

import sys
from collections.abc import Mapping
from types import MappingProxyType

from agents.normalise._base import Normaliser
from streams.plugins import discover

NORMALISERS: Mapping[str, Normaliser] = MappingProxyType(
    {name: plugin() for name, plugin in discover(sys.modules[__name__], Normaliser).items()}  # type: ignore[type-abstract]
)
"""Every source by its name."""
