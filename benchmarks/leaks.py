"""How often a leaker is found and an innocent accused: marks and the log of accesses.

    python benchmarks/leaks.py [--trials 300] [--log-trials 100]

Marks: 1,000 recipients, 128 marked rows, of which 30 % are lost and 10 % rewritten at random; every trial scores all
recipients, and an accusation is ``chance * recipients <= 1e-6`` in all cases, catch rate included. Cases: a lone leaker; one
who leaks only what a victim saw and guesses the victim's marks; a contiguous dump of unmarked rows; three who mix copies.
Log: 1,000,000 orders, 300 recipients with nested scopes (5 warehouses, 20 couriers, 100 branches, 175 agents), rows of which
30 % come from elsewhere. The yardstick is one HMAC-SHA256 a score's place in the same run.
"""

from __future__ import annotations

import argparse
import hmac
import json
import random
import time
from collections import Counter
from typing import Any

from shopward.leaks import Bias, Marks, weigh

RECIPIENTS, PLACES, LEVEL = 1_000, 128, 1e-6
ORDERS = 1_000_000


def say(**line: Any) -> None:
    """One JSON line."""
    print(json.dumps(line), flush=True)


def survived(marks: Marks, leaker: str, rng: random.Random, places: list[str]) -> dict[str, bool]:
    """What is read after losses and edits."""
    return {
        place: rng.random() < 0.5 if rng.random() < 0.1 else marks.bit(leaker, place)
        for place in places
        if rng.random() > 0.3
    }


def mark_cases(trials: int) -> None:
    """Print the catch rate and the accusations of innocents over all cases."""
    rng = random.Random(1)
    names = [f"r{number}" for number in range(RECIPIENTS)]
    scores_total = innocents = 0
    begun = time.process_time()
    places_total = 0
    for case, times in (("lone leaker", trials), ("framing", max(1, trials // 2)), ("unlogged contiguous dump", max(1, trials // 2))):  # fmt: skip
        caught = accused_here = 0
        for trial in range(times):
            marks = Marks(rng.randbytes(32))
            places = [f"t{trial}/o{number}" for number in range(PLACES)]
            leaker = names[rng.randrange(RECIPIENTS)] if case != "unlogged contiguous dump" else None
            if leaker is None:
                read = {place: False for place in places if rng.random() > 0.3}
            else:
                read = survived(marks, leaker, rng, places)
                if (
                    case == "framing"
                ):  # the victim's marks are secret: he writes what he guesses over a tenth more
                    read = {place: rng.random() < 0.5 if rng.random() < 0.1 else bit for place, bit in read.items()}  # fmt: skip
            scores = marks.scores(read, names)
            accused = {name for name, score in scores.items() if score.chance * RECIPIENTS <= LEVEL}
            caught += leaker in accused
            accused_here += len(accused - {leaker})
            scores_total += RECIPIENTS - (leaker is not None)
            places_total += RECIPIENTS * len(read)
        innocents += accused_here
        say(marks=case, trials=times, caught=caught / times if case != "unlogged contiguous dump" else None, goal=0.99 if case == "lone leaker" else None, innocents_accused=accused_here)  # fmt: skip
    spent = time.process_time() - begun
    key, place = bytes(32), b"t1/o100"
    begun = time.process_time()
    for _ in range(100_000):
        hmac.digest(key, place, "sha256")
    yardstick = (time.process_time() - begun) / 100_000
    upper = 1 - 0.05 ** (1 / scores_total) if not innocents else None
    say(
        innocent_scores=scores_total, innocents_accused=innocents, upper_95_per_score=upper, level_all_recipients=LEVEL,
        us_a_place=round(spent / places_total * 1e6, 2), ratio_to_hmac=round(spent / places_total / yardstick, 2),
    )  # fmt: skip


def collusion(trials: int) -> None:
    """Three leakers who mix their copies, against biases that hold for that."""
    rng = random.Random(2)
    names = [f"r{number}" for number in range(300)]
    caught = innocents = 0
    for trial in range(trials):
        marks = Marks(rng.randbytes(32), Bias.ARCSINE)
        gang = rng.sample(names, 3)
        read = {
            place: marks.bit(rng.choice(gang), place) for place in (f"t{trial}/o{n}" for n in range(2_048))
        }
        scores = marks.scores(read, names)
        accused = {name for name, score in scores.items() if score.chance * len(names) <= LEVEL}
        caught += bool(accused & set(gang))
        innocents += len(accused - set(gang))
    say(marks="three mix 2,048 places", trials=trials, caught=caught / trials, innocents_accused=innocents)


def scopes(rng: random.Random) -> dict[str, list[int]]:
    """300 recipients, the smaller inside the larger; the hottest orders come first."""
    made: dict[str, list[int]] = {}
    for number in range(5):
        made[f"warehouse {number}"] = rng.sample(range(ORDERS), 200_000)
    for number in range(20):
        made[f"courier {number}"] = rng.sample(made[f"warehouse {number % 5}"], 50_000)
    for number in range(100):
        made[f"branch {number}"] = rng.sample(made[f"courier {number % 20}"], 5_000)
    for number in range(175):
        made[f"agent {number}"] = rng.sample(made[f"branch {number % 100}"], 1_000)
    made["agent 0"] = list(range(1_000))  # whoever works the hottest stretch of the table
    return made


def log_cases(trials: int) -> None:
    """Print whom the log of accesses names, by kind of leaker and size of the leak."""
    rng = random.Random(3)
    made = scopes(rng)
    sizes = {name: len(set(rows)) for name, rows in made.items()}
    holders: dict[int, list[str]] = {}
    for name, rows in made.items():
        for row in set(rows):
            holders.setdefault(row, []).append(name)

    def led(rows: set[int]) -> str | None:
        sources = {str(row): holders.get(row, []) for row in rows}
        return weigh(sources, sizes, total=ORDERS, positions=sorted(rows)).lead

    for kind in ("warehouse", "courier", "branch", "agent"):
        for leaked in (5, 10, 20, 50):
            named: Counter[str] = Counter()
            for _ in range(trials):
                leaker = rng.choice([name for name in made if name.startswith(kind) and name != "agent 0"])
                foreign = round(leaked * 0.3)
                gone = set(rng.sample(made[leaker], leaked - foreign)) | {
                    rng.randrange(ORDERS) for _ in range(foreign)
                }
                lead = led(gone)
                named["right" if lead == leaker else "wrong" if lead else "none"] += 1
            say(log=kind, rows=leaked, foreign=0.3, named=named["right"] / trials, wrong=named["wrong"] / trials, goal=0.95 if (kind, leaked) == ("courier", 20) else None)  # fmt: skip
    for case in ("contiguous dump", "random dump", "the hottest 100"):
        wrong = 0
        for _ in range(trials if case != "the hottest 100" else 1):
            first = rng.randrange(ORDERS - 100)
            gone = set(range(first, first + 100)) if case == "contiguous dump" else set(range(100)) if case == "the hottest 100" else set(rng.sample(range(ORDERS), 100))  # fmt: skip
            wrong += led(gone) is not None
        say(log=case, named_wrongly=wrong, trials=trials)
    framed = 0
    for _ in range(trials):
        victim = f"agent {rng.randrange(1, 175)}"
        framed += led(set(rng.sample(made[victim], 30))) == victim
    say(
        log="a courier leaks only an agent's rows",
        leads_to_the_victim=framed / trials,
        said="lead, never proof",
    )


def main() -> None:
    """Run all cases."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--trials", type=int, default=300)
    parser.add_argument("--log-trials", type=int, default=100)
    options = parser.parse_args()
    log_cases(options.log_trials)
    collusion(max(1, options.trials // 50))
    mark_cases(options.trials)


if __name__ == "__main__":
    main()
