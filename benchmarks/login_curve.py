"""The login curve of risk-based authentication: how often honest customers are asked again, at a rate of attacks stopped.

    python benchmarks/login_curve.py [--csv rba-dataset.csv] [--users 2000]

Reads the login data set of Wiefling et al. (docs/login-curve.md says where it is), or makes logins with its columns, and
scores every successful login by the published statistical model of Freeman et al. from the user's logins before it: the
product over address and client of p(value) / p(value | user). Each is a weighted sum over fine and coarse values, with the
weights that Wiefling et al. published; a user's own share begins at everybody's, worth one login.

Attackers know the password, and of the victim: nothing (naive); the country (vpn); country, network and the clients of that
country (targeted). Takeovers are the rows that the data set marks, where there are any. Nothing is learnt from attacks.

One JSON line for each attacker, share of its attempts that is stopped, and size of history: the median over users with so
many logins of the share of their own logins up to there, from the second on, that is asked again.
"""

from __future__ import annotations

import argparse
import json
import math
import random
from collections import Counter, defaultdict
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Final, NamedTuple

from shopward.adapters.formats import Imported, Refusal, Source, read_rba

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

RATES: Final = (0.98, 0.99, 0.995, 0.999)
HISTORIES: Final = (4, 8, 12, 20, 39)
ATTACKS_A_USER: Final = 4
WEIGHTS: Final = (
    {"ip": 0.6, "asn": 0.3, "country": 0.1},
    {"user_agent": 0.53867, "browser": 0.26797, "os": 0.12724, "device_type": 0.06612},
)
"""How much each level of address and client counts (Wiefling et al. 2021)."""


class Login(NamedTuple):
    """What a login shows, from fine to coarse."""

    user: str
    ip: str
    asn: str
    country: str
    user_agent: str
    browser: str
    os: str
    device_type: str
    is_takeover: bool = False


class Counts:
    """How often each value of each level was seen."""

    def __init__(self) -> None:
        self.total = 0
        self.seen: dict[str, Counter[str]] = defaultdict(Counter)

    def add(self, login: Login) -> None:
        """Count one login."""
        self.total += 1
        for weights in WEIGHTS:
            for level in weights:
                self.seen[level][getattr(login, level)] += 1

    def weighed(self, login: Login, weights: dict[str, float]) -> float:
        """How many logins showed the same, each level by its weight."""
        return sum(weight * self.seen[level][getattr(login, level)] for level, weight in weights.items())


def main() -> None:
    """Compute and print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument(
        "--csv", type=Path, help="rba-dataset.csv, plain, .gz or .zst; made logins where left out"
    )
    parser.add_argument("--users", type=int, default=2_000, help="of the made logins")
    parser.add_argument("--users-max", type=int, default=50_000, help="customers whose logins are scored")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    logins = made(arguments.users, arguments.seed) if arguments.csv is None else read(arguments.csv)
    for line in curve(logins, users_max=arguments.users_max, seed=arguments.seed):
        print(json.dumps(line), flush=True)


def read(path: Path) -> Iterator[Login]:
    """The successful logins of the data set, in its order."""
    for item in read_rba(Source(path)):
        if isinstance(item, Refusal) or item.event.status != "succeeded":
            continue
        yield _login(item)


def curve(logins: Iterable[Login], *, users_max: int, seed: int) -> Iterator[dict[str, object]]:
    """A line for each attacker, rate and size of history."""
    rng = random.Random(seed)
    everybody, by_user, takeovers = _sorted_out(logins, users_max)
    pool = [login for known in by_user.values() for login in known]
    near = _by_country(pool)
    honest: list[list[float]] = []
    attacks: dict[str, list[float]] = defaultdict(list)
    for user, known in by_user.items():
        own, scores = Counts(), []
        for number, login in enumerate(known):
            if number:
                scores.append(score(login, own, everybody))
            own.add(login)
            if number + 1 in HISTORIES:
                for name, attempt in _attempts(login, pool, near, rng):
                    attacks[name].append(score(attempt, own, everybody))
        honest.append(scores)
        attacks["takeover"] += [score(attempt, own, everybody) for attempt in takeovers[user]]
    for name, tried in sorted(attacks.items()):
        for rate in RATES if tried else ():
            threshold = sorted(tried)[math.floor((1 - rate) * len(tried))]
            yield from _lines(name, rate, len(tried), threshold, honest)


def score(login: Login, own: Counts, everybody: Counts) -> float:
    """How much more usual the login is for anybody than for this user, as a logarithm."""
    total = 0.0
    for weights in WEIGHTS:
        anybody = (everybody.weighed(login, weights) + 1) / (everybody.total + 1)
        total += math.log(anybody * (own.total + 1) / (own.weighed(login, weights) + anybody))
    return total


def _lines(
    name: str, rate: float, tried: int, threshold: float, honest: list[list[float]]
) -> Iterator[dict[str, object]]:
    for size in HISTORIES:
        shares = [
            sum(each >= threshold for each in scores[: size - 1]) / (size - 1)
            for scores in honest
            if len(scores) >= size - 1
        ]
        if shares:
            yield {
                "attacker": name, "stopped": rate, "logins": size, "users": len(shares), "attacks": tried,
                "asked_again_median": round(median(shares), 4),
            }  # fmt: skip


def _sorted_out(
    logins: Iterable[Login], users_max: int
) -> tuple[Counts, dict[str, list[Login]], dict[str, list[Login]]]:
    """What everybody shows, the logins of the first users, and the takeovers of each."""
    everybody, by_user = Counts(), dict[str, list[Login]]()
    takeovers: dict[str, list[Login]] = defaultdict(list)
    for login in logins:
        if login.is_takeover:
            takeovers[login.user].append(login)
            continue
        everybody.add(login)
        if login.user in by_user or len(by_user) < users_max:
            by_user.setdefault(login.user, []).append(login)
    return everybody, by_user, takeovers


def made(users: int, seed: int) -> Iterator[Login]:
    """Logins as the data set's columns hold them: a few networks and clients a user, changing slowly; few takeovers."""
    rng = random.Random(seed)
    countries = [("NO", 0.7), ("SE", 0.1), ("DE", 0.1), ("BR", 0.1)]
    homes = [_habit(rng, countries) for _user in range(users)]
    turns = [user for user in range(users) for _turn in range(1 + int(rng.expovariate(1 / 15)))]
    rng.shuffle(turns)
    for user in turns:
        if rng.random() < 0.01:
            homes[user] = _habit(rng, countries) | {"country": homes[user]["country"]}
        habit = homes[user]
        phone = rng.random() < 0.3
        yield Login(
            f"u{user}",
            f"{habit['asn']}.{rng.randrange(40) if phone else habit['host']}",
            f"mobile-{habit['country']}" if phone else habit["asn"],
            habit["country"],
            f"{habit['os']}/{habit['browser']}/{habit['version']}",
            habit["browser"],
            habit["os"],
            "mobile" if phone else "desktop",
        )


def _habit(rng: random.Random, countries: list[tuple[str, float]]) -> dict[str, str]:
    country = rng.choices([name for name, _weight in countries], [weight for _name, weight in countries])[0]
    return {
        "country": country,
        "asn": f"{country}-{min(int(rng.expovariate(0.3)), 30)}",
        "host": str(rng.randrange(5_000)),
        "os": rng.choices(["Windows 10", "Mac OS X", "Android 10", "iOS 13"], [5, 2, 3, 2])[0],
        "browser": rng.choices(["Chrome", "Firefox", "Safari", "Edge"], [6, 2, 3, 1])[0],
        "version": str(rng.randrange(60, 75)),
    }


def _attempts(
    victim: Login, pool: list[Login], near: dict[str, list[Login]], rng: random.Random
) -> Iterator[tuple[str, Login]]:
    """What each attacker shows, who knows as much of the victim as his kind does."""
    for _attempt in range(ATTACKS_A_USER):
        there = rng.choice(near[victim.country])
        beside = there._replace(asn=victim.asn, ip=f"{victim.asn}.{rng.randrange(65_536)}")
        client = rng.choice(pool)
        for name, place, shown in (
            ("naive", rng.choice(pool), client),
            ("vpn", there, client),
            ("targeted", beside, there),
        ):
            yield name, Login(
                victim.user, place.ip, place.asn, place.country, shown.user_agent, shown.browser, shown.os,
                shown.device_type,
            )  # fmt: skip


def _by_country(pool: list[Login]) -> dict[str, list[Login]]:
    found: dict[str, list[Login]] = defaultdict(list)
    for login in pool:
        found[login.country].append(login)
    return found


def _login(item: Imported) -> Login:
    event, context = item.event, item.event.context
    if not context or not event.user:
        return Login("", "", "", "", "", "", "", "")
    return Login(
        event.user.id,
        context.ip,
        str(context.asn),
        context.country,
        context.user_agent,
        context.browser,
        context.os,
        context.device_type,
        item.label == "ato",
    )


if __name__ == "__main__":
    main()
