"""Deliveries topic to webhook, in order by alert and closed behind it, against bare aiohttp with as many in flight."""

from statistics import median

from bench import _outward
from bench._broker import Took, arena
from bench.figures import Figure, Pairs

COUNT, QUICK = 100_000, 20_000
ALERTS = 20_000
ROUNDS = 3


def run(*, quick: bool = False) -> list[Figure]:
    """Measure in pairs on the same deliveries: events of 20,000 alerts, five of each when not quick."""
    count, rounds = (QUICK, 1) if quick else (COUNT, ROUNDS)
    pairs: list[tuple[Took, Took]] = []
    with arena() as place, _outward.sink(place.folder) as sink:
        for turn in range(rounds):
            settings = place.settings()
            _outward.load(settings, _outward.deliveries(count, alerts=min(ALERTS, count // 5)))
            took = {}
            for name in ("bare", "ours") if turn % 2 else ("ours", "bare"):
                took[name] = _outward.measure(place, name, settings, count, sink.url)
            pairs.append((took["ours"], took["bare"]))
        got, most = sink.stats()["count"], sink.rate(200_000)
    ours = median(a.rate for a, _ in pairs)
    return [
        Pairs([a.rate for a, _ in pairs], [b.rate for _, b in pairs]).figure(
            "ratio_to_bare", "deliveries, against bare aiohttp from Kafka with 64 in flight", at_least=0.7
        ),
        Figure("rate", "ours", ours, "deliveries/s"),
        Figure("rate_bare", "bare aiohttp", median(b.rate for _, b in pairs), "deliveries/s"),
        Figure("cores", "CPU of our process", median(a.cores for a, _ in pairs), "cores"),
        Figure("memory", "our resident memory", median(a.rss_mb for a, _ in pairs), "MB"),
        Figure("sent", "requests that the sink has had, of those there were to make", got / (2 * count * rounds), "x"),
        Figure("sink", "what the sink takes from a compiled client, over our rate", most / ours, "x", at_least=3),
    ]
