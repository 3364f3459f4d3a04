"""Raw topic to normalised topic to DuckDB, against a loop without a table, plain Faust and Kafka Streams."""

from collections.abc import Callable
from functools import partial
from statistics import median
from typing import Any

from bench import _streams
from bench._broker import Arena, Took, arena
from bench._messages import guardduty
from bench.figures import Figure, Pairs
from streams.settings import Settings

COUNT, QUICK = 200_000, 20_000
PLAIN, QUICK_PLAIN = 20_000, 4_000
FILL, QUICK_FILL = 1_000_000, 50_000
ROUNDS = 3


def run(*, quick: bool = False) -> list[Figure]:
    """Measure in pairs: an empty store, a filled one, one account with 95 %, the ten-field work, plain Faust."""
    count, plain, fill = (QUICK, QUICK_PLAIN, QUICK_FILL) if quick else (COUNT, PLAIN, FILL)
    rounds = 1 if quick else ROUNDS
    with arena() as place:
        empty = _pairs(place, count, rounds, "loop")
        filled = _pairs(place, count, rounds, "loop", fill=fill)
        hot = _pairs(place, count, rounds, "loop", hot=0.95)
        faust = _pairs(place, count, rounds, "plain_faust", of_peer=plain)
        figures = [
            _ratio("ratio_to_loop", "into an empty store, against a bare loop without a table", empty, 0.4),
            _ratio("ratio_to_loop_filled", f"the same into a store of {fill:,} rows", filled, 0.4),
            _ratio("ratio_to_loop_hot", "the same with one account that holds 95 %", hot, 0.4),
            _ratio("ratio_to_plain_faust", f"against Faust by its guide, with a Table, on {plain:,}", faust, 10),
            *_rates(empty, "rate", "into an empty store"),
            *_rates(filled, "rate_filled", f"into a store of {fill:,} rows"),
            *_rates(faust, "rate_faust", "beside plain Faust"),
        ]
        tenfold = _tenfold(place, count, rounds)
    return figures + tenfold


def _tenfold(place: Arena, count: int, rounds: int) -> list[Figure]:
    if not _streams.available():
        ours = [place.run("inbound", _loaded(place, count), count, tenfold=True) for _ in range(rounds)]
        ratio = median(t.rate for t in ours) / _streams.QUOTED
        return [
            Figure(
                "ratio_to_kafka_streams",
                "ten fields, against 38,000/s as quoted (no Java compiler here)",
                ratio,
                "x",
                1,
            ),
            Figure(
                "cores_tenfold", "CPU of our process meanwhile", median(t.cores for t in ours), "cores", at_most=1.5
            ),
        ]
    with _streams.compiled(place.folder) as peer:
        pairs = _pairs(place, count, rounds, peer.run, tenfold=True)
    return [
        _ratio("ratio_to_kafka_streams", "ten fields, against Kafka Streams into a KTable", pairs, 1),
        Figure(
            "cores_tenfold", "CPU of our process meanwhile", median(t.cores for t, _ in pairs), "cores", at_most=1.5
        ),
        *_rates(pairs, "rate_tenfold", "ten fields"),
        Figure("cores_kafka_streams", "CPU of Kafka Streams", median(t.cores for _, t in pairs), "cores"),
    ]


Peer = str | Callable[[Settings, int], Took]


def _pairs(
    place: Arena,
    count: int,
    rounds: int,
    peer: Peer,
    *,
    hot: float = 0.0,
    fill: int = 0,
    tenfold: bool = False,
    of_peer: int = 0,
) -> list[tuple[Took, Took]]:
    """Run ours and *peer* by turns on the same messages; with *of_peer* the peer gets that many, of a topic of its own.

    So a slow peer can be compared by its rate, without minutes for each pair.
    """
    template = str(place.template(fill)) if fill else ""
    pairs = []
    for turn in range(rounds):
        settings = _loaded(place, count, hot)
        theirs = _loaded(place, of_peer, hot) if of_peer else settings
        contestants: list[Callable[[], Took]] = [
            partial(place.run, "inbound", settings, count, template=template, tenfold=tenfold),
            partial(partial(place.run, peer) if isinstance(peer, str) else peer, theirs, of_peer or count),
        ]
        took = [contestant() for contestant in contestants[:: -1 if turn % 2 else 1]]
        pairs.append((took[1], took[0]) if turn % 2 else (took[0], took[1]))
    return pairs


def _loaded(place: Arena, count: int, hot: float = 0.0) -> Settings:
    settings = place.settings()
    place.load(settings, guardduty(count, hot=hot))
    return settings


def _ratio(key: str, what: str, pairs: list[tuple[Took, Took]], goal: float) -> Figure:
    return Pairs([a.rate for a, _ in pairs], [b.rate for _, b in pairs]).figure(key, what, at_least=goal)


def _rates(pairs: list[tuple[Took, Took]], key: str, what: str) -> list[Figure]:
    def middle(of: Callable[[Any], float]) -> float:
        return median(of(pair) for pair in pairs)

    return [
        Figure(key, f"{what}: ours", middle(lambda p: p[0].rate), "messages/s"),
        Figure(f"{key}_peer", f"{what}: the other", middle(lambda p: p[1].rate), "messages/s"),
        Figure(f"{key}_memory", f"{what}: our resident memory", middle(lambda p: p[0].rss_mb), "MB"),
    ]
