"""The trace: evidence put together, and how much may be said.

Promise, in steps: (1) rows become records, foreign ones are counted; (2) whoever never saw a record, or saw it only masked
where the leak is clear, or in another version, is ruled out for that row; (3) canary rows are counted; (4) marks are read
and scored; (5) the log of accesses is weighed beside explanations without a recipient; (6) each recipient's standing
follows from these by fixed gates. A recipient ruled out for every row is listed as such.
"""

from __future__ import annotations

import math
from collections import Counter
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from shopward.leaks.channels import read
from shopward.leaks.likelihood import FALSE_ACCUSATION_MAX, shares, weigh

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from shopward.leaks.canaries import Canaries
    from shopward.leaks.marks import Marks, Score
    from shopward.leaks.matching import Matcher

Standing = Literal["proof", "lead", "possible", "ruled_out"]
CANARIES_FOR_PROOF: Final = 2


class Sighting(NamedTuple):
    """A record was shown to a recipient.

    Attributes:
        fields: those that were in clear; of others the recipient knows masks at most.
        version: of the record's values, 0 where they never changed.
    """

    recipient: str
    record: str
    fields: frozenset[str]
    version: int = 0


class Candidate(NamedTuple):
    """What is known of one recipient; probabilities between 0 and 1."""

    recipient: str
    standing: Standing
    rows_seen: int
    canaries: int
    mark_places: int
    mark_chance: float
    log_odds: float
    posterior: float
    share: float


class Report(NamedTuple):
    """The outcome.

    Attributes:
        candidates: the strongest first.
        nobody: the posterior of "none of the logged", never left out.
        nobody_how: the best explanation of that kind.
    """

    rows: int
    matched: int
    foreign: int
    candidates: list[Candidate]
    nobody: float
    nobody_how: str


class Evidence(NamedTuple):
    """What is known of a leak before it is judged; a unit is a record, or a customer, of which rows leaked.

    Attributes:
        sources: for each leaked unit who could have shown it.
        sizes: how many units each recipient was shown.
        total: how many units there are.
        positions: where the leaked ones stand in the table.
        groups: of each region or page how many leaked units lie in it and how many it has.
        hits: how many different canaries of each recipient leaked.
        scores: what the marks say of each recipient.
    """

    sources: Mapping[str, Sequence[str]]
    sizes: Mapping[str, int]
    total: int
    positions: Sequence[int]
    groups: Mapping[str, tuple[int, int]]
    hits: Mapping[str, int]
    scores: Mapping[str, Score]


class Judged(NamedTuple):
    """Who is named, and how likely it is that none of the logged leaked."""

    candidates: list[Candidate]
    nobody: float
    nobody_how: str


def judge(evidence: Evidence) -> Judged:
    """Steps (5) and (6): the log beside its rivals, and each recipient's standing."""
    sources, sizes, hits = evidence.sources, evidence.sizes, evidence.hits
    # (5) the log beside its rivals
    weighed = weigh(
        sources, sizes, total=evidence.total, positions=evidence.positions, groups=evidence.groups
    )
    posterior, nobody = _posterior(weighed.likelihood, weighed.rival.log_likelihood)
    part = shares([names for names in sources.values() if names], sizes, evidence.total)
    # (6) standing
    seen = Counter(name for names in sources.values() for name in names)
    candidates = []
    for name in {*sizes, *hits}:
        score = evidence.scores.get(name)
        odds = weighed.likelihood.get(name, -math.inf) - weighed.rival.log_likelihood
        chance = score.chance if score else 1.0
        standing: Standing = "possible"
        if hits.get(name, 0) >= CANARIES_FOR_PROOF or chance * len(sizes) <= FALSE_ACCUSATION_MAX:
            standing = "proof"
        elif not seen[name] and name not in hits:
            standing = "ruled_out"
        elif hits.get(name) or weighed.lead == name:
            standing = "lead"
        candidates.append(Candidate(name, standing, seen[name], hits.get(name, 0), score.places if score else 0, chance, odds, posterior.get(name, 0.0), part.get(name, 0.0)))  # fmt: skip
    return Judged(sorted(candidates, key=_strength), nobody, weighed.rival.name)


def trace(
    rows: Sequence[Mapping[str, str]],
    matcher: Matcher,
    sightings: Iterable[Sighting],
    *,
    total: int,
    position: Callable[[str], int],
    version: Callable[[str, Mapping[str, str]], int | None] | None = None,
    marks: Marks | None = None,
    canaries: Canaries | None = None,
) -> Report:
    """Rank who leaked some rows.

    Args:
        rows: as leaked; field names as the shop's.
        matcher: finds a row's record.
        sightings: what was shown to whom.
        total: how many records there are.
        position: where a record stands in the table, for windows of it.
        version: which version of a record a row shows, None where it cannot be told.
        marks: where copies were marked.
        canaries: where recipients had them.
    """
    # (1) rows become records
    found = [(row, match) for row, match in zip(rows, matcher.match_all(rows), strict=True) if match]
    leaked = {match.record: (row, match) for row, match in found}
    # (2) who could have shown each
    shown: dict[str, dict[str, set[tuple[frozenset[str], int]]]] = {}
    sizes: Counter[str] = Counter()
    known: set[tuple[str, str]] = set()
    for sight in sightings:
        if (sight.recipient, sight.record) not in known:
            known.add((sight.recipient, sight.record))
            sizes[sight.recipient] += 1
        if sight.record in leaked:
            shown.setdefault(sight.record, {}).setdefault(sight.recipient, set()).add((sight.fields, sight.version))  # fmt: skip
    sources: dict[str, list[str]] = {}
    for record, (row, match) in leaked.items():
        seen_version = version(record, row) if version else None
        sources[record] = [
            name
            for name, sights in shown.get(record, {}).items()
            if any(
                match.fields - {"id"} <= fields and seen_version in (None, shown_version)
                for fields, shown_version in sights
            )
        ]
    # (3) canaries
    hits = canaries.hits(rows, sizes) if canaries else {}
    # (4) marks: each place of a record once
    places = {f"{record}/{name}": bit for record, (row, _match) in leaked.items() for name, bit in read(row).items()}  # fmt: skip
    scores = marks.scores(places, sizes) if marks and places else {}
    judged = judge(
        Evidence(sources, sizes, total, [position(record) for record in leaked], {}, hits, scores)
    )  # (5), (6)
    return Report(len(rows), len(found), len(rows) - len(found) - sum(hits.values()), *judged)


_ORDER: Final[dict[Standing, int]] = {"proof": 0, "lead": 1, "possible": 2, "ruled_out": 3}


def _strength(each: Candidate) -> tuple[int, int, float, float, str]:
    return _ORDER[each.standing], -each.canaries, each.mark_chance, -each.log_odds, each.recipient


def _posterior(likelihood: Mapping[str, float], against: float) -> tuple[dict[str, float], float]:
    """Half the belief for "none of the logged", half spread over the recipients; after the evidence."""
    prior = -math.log(max(1, len(likelihood)))
    top = max([against, *[value + prior for value in likelihood.values()]])
    weights = {name: math.exp(value + prior - top) for name, value in likelihood.items()}
    none = math.exp(against - top)
    whole = none + math.fsum(weights.values())
    return {name: weight / whole for name, weight in weights.items()}, none / whole
