"""The worker's store: one DuckDB file of the partitions that it owns, written in whole batches, Kafka offsets in the
same transaction.
"""

from streams.store.batch import Applied, Part, Refused
from streams.store.store import Store
from streams.store.thread import StoreThread

__all__ = ["Applied", "Part", "Refused", "Store", "StoreThread"]
