"""When the garbage collector runs: seldom, since what a worker allocates mostly goes by itself."""

import gc

YOUNG = 20_000
"""So many more objects made than freed, and the youngest are looked at. Python's own 700 comes with every batch."""
OLDER = (20, 50)
"""So many such looks, and those that survived one are looked at too; and so on for all."""


def calm() -> None:
    """Leave what was imported alone for ever, and look at the rest seldom: a fifth of a delivery's CPU time."""
    gc.freeze()
    gc.set_threshold(YOUNG, *OLDER)
