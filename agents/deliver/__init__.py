"""Delivery: sends what is open to its integration, in order by alert, and closes it when the destination has it."""

from agents.deliver.deliverer import Deliverer
from agents.deliver.listing import Open, Path

__all__ = ["Deliverer", "Open", "Path"]
