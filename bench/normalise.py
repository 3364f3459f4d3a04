"""Raw topic to normalised topic, against a bare aiokafka loop with the same normaliser."""

from bench._broker import Took, arena
from bench._messages import guardduty
from bench.figures import Figure, Pairs

COUNT, QUICK = 200_000, 40_000
ROUNDS, QUICK_ROUNDS = 3, 2


def run(*, quick: bool = False) -> list[Figure]:
    """Measure both by turns on the same messages; who begins changes every round."""
    count, rounds = (QUICK, QUICK_ROUNDS) if quick else (COUNT, ROUNDS)
    ours: list[Took] = []
    floor: list[Took] = []
    with arena() as place:
        for turn in range(rounds):
            settings = place.settings()
            place.load(settings, guardduty(count))
            contestants = [("normalise", ours), ("loop", floor)]
            for name, took in contestants[:: -1 if turn % 2 else 1]:
                took.append(place.run(name, settings, count))
    pairs = Pairs([t.rate for t in ours], [t.rate for t in floor])
    return [
        pairs.figure("ratio_to_loop", "raw to normalised, against a bare aiokafka loop", at_least=0.75),
        Figure("rate", "raw to normalised", sorted(pairs.ours)[rounds // 2], "messages/s"),
        Figure("rate_loop", "the bare loop", sorted(pairs.theirs)[rounds // 2], "messages/s"),
        Figure("cores", "CPU of our process", max(t.cores for t in ours), "cores"),
    ]
