"""The control plane: what people set up, kept on compacted topics and whole in the memory of every process.

document -> check -> plan -> one transaction of sealed records -> follow -> objects

Read `kinds.py`, then `control.py`.
"""

from streams.control.control import Change, Control
from streams.control.kinds import Kind, Kinds
from streams.control.plan import Edit
from streams.control.seal import Keys

__all__ = ["Change", "Control", "Edit", "Keys", "Kind", "Kinds"]
