"""Pull connectors, one file each: vendors that are asked for their findings. Read `_base.py`, then `tenable.py`."""

import sys
from collections.abc import Mapping

from agents.connectors._base import Connector
from streams.plugins import discover

CONNECTORS: Mapping[str, type[Connector]] = discover(sys.modules[__name__], Connector)  # type: ignore[type-abstract] # they are made from settings
"""Every connector by its name, which is that of the source whose raw topic it fills."""
