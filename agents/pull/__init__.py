"""Pulling: asks vendors for what is new, hands it to the raw topics, and keeps the place to go on at."""

from agents.pull.puller import Puller
from agents.pull.pulls import Order, Pulls

__all__ = ["Order", "Puller", "Pulls"]
