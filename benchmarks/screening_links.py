"""Link screening against real phishing that was held out, and its speed.

Run: ``python benchmarks/screening_links.py --data FOLDER [--varied FOLDER] [--cap 15000] [--only NAME ...]``. FOLDER holds CSV files that
nobody may redistribute, and that you get from their makers (docs/screening.md): ``phish_*.csv`` with ``url`` and, where there
is one, ``date`` or ``first_seen`` and ``brand``; ``benign_*.csv`` with ``url`` or ``domain``. ``--varied`` names folders
of ordinary links of other kinds of sites, of domains that are nowhere in the data: they are learnt from, unless ``--untaught``, and
``drift`` and ``learned`` print every figure twice, with the marks of the data's ordinary hosts and with those of all. JSON lines:

- ``official``: the official domains of eight shops in every legal spelling; how many are not official: must be 0;
- ``brand``: phishing hosts of JPCERT's list for eight shops, the half of registered domains on which no rule was looked at;
  given only names and official domains: share whose reason names the brand, by the host alone; false alarms in 10,000
  ordinary hosts for each brand; the share that is called official or known good: must be 0. Yardstick of the same run: the
  registered name within one edit of an official one, which is what permutation tools enumerate;
- ``learned``: four folds by registered domain, all sources in equal parts; share of fraud above one and ten in 1,000 ordinary
  hosts, by host alone and by full link, with a 90 % interval of a bootstrap over ordinary hosts. Counted are the domains on which
  nothing was chosen: what is seen of a link, ridges and trees were chosen on the other half, which is learnt from here as well
  (``--chosen`` counts that half instead: for choosing anew);
- ``drift``: trained on what was seen to the end of 2024 and on half of the ordinary domains, judged on JPCERT's list of 2025
  and the other half, as far as nothing was chosen on them;
- ``bundle``: of each file, how many hosts a bundle (``--bundle``; the one that ships) finds suspicious and dangerous, one link a host; it
  tells something of files that were not learnt from alone;
- ``renewed``: JPCERT's list of the second half of 2025 as it is found by what was seen to the end of 2024, and by what was seen to
  the end of June 2025;
- ``speed``: microseconds of CPU for a link that is official, of a partner, unknown, unknown with the learned part in plain Python
  and in machine code (extra ``fast``); the 99th percentile of a single call, in CPU time; ``urllib.parse.urlsplit`` on the same
  links as the yardstick. All by turns, since others work on this machine, too.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import json
import random
import time
import zlib
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from urllib.parse import urlsplit

import numpy as np

from shopward.screening import check_link, profile_of
from shopward.screening.links.address import Address, read_address
from shopward.screening.links.learned.bundle import scorer_of, shipped_scorer
from shopward.screening.links.learned.features import has_path
from shopward.screening.links.learned.fit import Example, train_links
from shopward.screening.links.learned.model import LinkScorer, Reader

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from shopward.screening import Profile

SHOPS: Final[tuple[tuple[str, list[str], list[str], set[str]], ...]] = (
    (
        "Amazon",
        ["アマゾン"],
        [
            "amazon.co.jp",
            "amazon.com",
            "amazon.jp",
            "media-amazon.com",
            "images-amazon.com",
            "ssl-images-amazon.com",
            "amazon-adsystem.com",
            "aboutamazon.com",
        ],
        {"Amazon"},
    ),
    ("Mercari", ["メルカリ"], ["mercari.com", "mercari.jp"], {"メルカリ"}),
    (
        "Rakuten",
        ["楽天", "楽天市場"],
        ["rakuten.co.jp", "rakuten.ne.jp", "rakuten.com", "rakutenadvertising.com"],
        {"楽天", "楽天カード"},
    ),
    ("Yodobashi", ["ヨドバシカメラ"], ["yodobashi.com"], {"ヨドバシカメラ"}),
    ("Yahoo", ["ヤフー"], ["yahoo.co.jp", "yahoo.com"], {"Yahoo! JAPAN", "Yahoo"}),
    ("PayPay", [], ["paypay.ne.jp"], {"PayPay"}),
    ("Isetan", ["Mistore", "三越伊勢丹"], ["mistore.jp", "isetan.co.jp"], {"三越伊勢丹", "エムアイカード"}),
    ("Bic Camera", ["ビックカメラ"], ["biccamera.com"], {"ビックカメラ"}),
)
SPELLINGS: Final[tuple[Callable[[str], str], ...]] = (
    lambda d: d, lambda d: d.upper(), lambda d: f"https://{d}", lambda d: f"http://www.{d}/a/b?c=d#e",
    lambda d: f"HTTPS://{d}.:443/", lambda d: f"https:\\\\{d}\\a", lambda d: f"//{d}/x", lambda d: f"https://u:p@{d}/",
    lambda d: f"https://{d}:8443/x", lambda d: "https://" + d.replace(".", "。"), lambda d: f"<https://{d}/>.",
    lambda d: "https://" + "".join(chr(ord(c) + 0xFEE0) for c in d), lambda d: f"hxxps://{d.replace('.', '[.]')}/x",
    lambda d: f"https://{d[:2]}\t{d[2:]}/", lambda d: f"  https://a.b.{d}/%7Ex?u=https://other.example  ",
    lambda d: f"https://{d}/{'a' * 3000}", lambda d: f"https:/{d}/x", lambda d: f"https:{d}",
)  # fmt: skip
ORDINARY_SHARE: Final = 10_000
ROUNDS: Final = 5


class Link(NamedTuple):
    """A line of a file."""

    address: Address
    url: str
    is_fraud: bool
    source: str
    date: str
    brand: str


def main() -> None:
    """Measure what was asked for."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--data", type=Path, required=True, action="append", help="folder; may be repeated")
    asked.add_argument("--varied", type=Path, action="append", default=[], help="folder; may be repeated")
    asked.add_argument(
        "--untaught", action="store_true", help="judge the varied links and learn nothing from them"
    )
    asked.add_argument("--bundle", type=Path, help="in the place of the one that ships")
    asked.add_argument("--cap", type=int, default=15_000, help="hosts of each fraud source to learn from")
    asked.add_argument("--chosen", action="store_true", help="count the half on which choices are made")
    asked.add_argument("--only", nargs="*", default=["official", "brand", "learned", "drift", "speed"])
    options = asked.parse_args()
    links = [link for folder in options.data for link in read(folder)]
    random.Random(1).shuffle(links)
    varied = _apart([link for folder in options.varied for link in read(folder)], links)
    taught = not options.untaught
    measures: dict[str, Callable[[], dict[str, Any]]] = {
        "official": official, "brand": lambda: brand(links), "learned": lambda: learned(links, varied, options.cap, on_chosen=options.chosen),
        "bundle": lambda: bundle([*links, *varied], options.bundle), "drift": lambda: drift(links, varied, taught=taught), "renewed": lambda: renewed(links, varied, taught=taught), "speed": lambda: speed(links),
    }  # fmt: skip
    for name in options.only:
        print(json.dumps({"measure": name, **measures[name]()}, ensure_ascii=False), flush=True)


def read(folder: Path) -> Iterator[Link]:
    """The links of a folder."""
    for path in sorted(folder.rglob("*.csv")):
        is_fraud = path.name.startswith("phish_")
        if not is_fraud and not path.name.startswith("benign_"):
            continue
        with path.open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                url = row.get("url") or row["domain"]
                address = read_address(url)
                if address.kind in ("name", "ipv4", "ipv6"):
                    date = row.get("date") or row.get("first_seen") or ""
                    yield Link(address, url, is_fraud, path.stem, date, row.get("brand") or "")


def _apart(varied: list[Link], links: list[Link]) -> list[Link]:
    """Ordinary links of domains that are nowhere else, so that what is learnt of them knows no host of the data."""
    known = {link.address.registered or link.address.host for link in links}
    return [
        link for link in varied if not link.is_fraud and (link.address.registered or link.address.host) not in known
    ]  # fmt: skip


def half(address: Address) -> int:
    """Which half of the registered domains a link is in."""
    return hashlib.blake2b((address.registered or address.host).encode(), digest_size=1).digest()[0] % 2


def profiles() -> Iterator[tuple[Profile, set[str]]]:
    """The shops, as they would declare themselves, and how the list calls them."""
    for name, aliases, domains, labels in SHOPS:
        yield profile_of({"name": name, "aliases": aliases, "official_domains": domains}), labels


def official() -> dict[str, Any]:
    """Every legal spelling."""
    wrong = [
        link
        for profile, _labels in profiles()
        for domain in profile.official_domains
        for link in (spell(domain) for spell in SPELLINGS)
        if check_link(link, profile).level != "official"
    ]
    count = len(SPELLINGS) * sum(len(shop[2]) for shop in SHOPS)
    return {"links": count, "not_official": len(wrong), "examples": wrong[:5]}


def brand(links: list[Link]) -> dict[str, Any]:
    """Which hosts name the brand."""
    ordinary = list({link.address.host: link.address for link in links if not link.is_fraud}.values())
    shops: dict[str, Any] = {}
    total = named = nearly = taken = 0
    for profile, labels in profiles():
        own = {domain.partition(".")[0] for domain in profile.official_domains}
        hosts = {
            link.address.host: link.address for link in links
            if link.brand in labels and half(link.address) == 1 and profile.owner(link.address.host) is None
        }  # fmt: skip
        found = sum(_names(profile, each) for each in hosts.values())
        taken += sum(check_link(host, profile).level in ("official", "known_good") for host in hosts)
        nearly += sum(_is_near(each.registered.partition(".")[0], own) for each in hosts.values())
        others = [
            each for each in ordinary
            if each.registered.partition(".")[0] not in own and profile.owner(each.host) is None
        ]  # fmt: skip
        alarms = [each.host for each in others if _names(profile, each)]
        shops[profile.spec.name] = {
            "hosts": len(hosts), "named": round(found / max(1, len(hosts)), 3),
            "false_alarms_in_10000": round(len(alarms) * ORDINARY_SHARE / len(others), 2), "alarms": alarms[:8],
        }  # fmt: skip
        total, named = total + len(hosts), named + found
    return {
        "hosts": total, "named": round(named / total, 3), "yardstick_one_edit": round(nearly / total, 3),
        "official_or_known_good": taken, "ordinary_hosts": len(ordinary), "shops": shops,
    }  # fmt: skip


def _names(profile: Profile, address: Address) -> bool:
    """Whether a host alone names the shop."""
    return any(map(profile.lookalikes.names_shop, profile.lookalikes.in_host(address)))


def _is_near(name: str, own: set[str]) -> bool:
    return any(_edits(name, each) <= 1 for each in own)


def _edits(left: str, right: str) -> int:
    before = list(range(len(right) + 1))
    for at, letter in enumerate(left, 1):
        row = [at]
        for place, other in enumerate(right, 1):
            row.append(min(before[place] + 1, row[-1] + 1, before[place - 1] + (letter != other)))
        before = row
    return before[-1]


def _in_equal_parts(links: list[Link], cap: int) -> list[Link]:
    """Up to ``cap`` hosts of each source of fraud, and all that is ordinary."""
    hosts: dict[str, set[str]] = {}
    kept = []
    for link in links:
        seen = hosts.setdefault(link.source, set())
        if not link.is_fraud or (link.address.host not in seen and len(seen) < cap):
            seen.add(link.address.host)
            kept.append(link)
    return kept


def _is_chosen_on(address: Address) -> bool:
    """Whether a domain is of the half on which what is seen of a link, ridges and trees were chosen."""
    return zlib.crc32(f"choose:{address.registered or address.host}".encode()) % 2 == 0


def learned(links: list[Link], varied: list[Link], cap: int, *, on_chosen: bool) -> dict[str, Any]:
    """Four folds, counted on one half of the domains."""
    chosen = _in_equal_parts(links, cap) + varied
    first: dict[str, Link] = {}
    for link in chosen:
        first.setdefault(link.address.host, link)
    trained = train_links([Example(link.address, link.is_fraud) for link in chosen])
    answer: dict[str, Any] = {"weights": len(trained.model.host.weights) + len(trained.model.path.weights)}
    for at, what in enumerate(("host", "link")):
        rows = [
            (first[host], scores[at])
            for host, scores in trained.held_out.items()
            if _is_chosen_on(first[host].address) == on_chosen
        ]
        answer |= _with_and_without(what, rows, {link.address.host for link in varied})
    return answer


def _with_and_without(what: str, rows: list[tuple[Link, float]], varied: set[str]) -> dict[str, Any]:
    """By the ordinary hosts of the data alone, and by all where there are others."""
    alone = {what: _recalls([row for row in rows if row[0].address.host not in varied])}
    return alone | ({f"{what}_varied": _recalls(rows)} if varied else {})


def _recalls(rows: list[tuple[Link, float]]) -> dict[str, Any]:
    ordinary = np.array([score for link, score in rows if not link.is_fraud])
    by_source: dict[str, list[float]] = {}
    for link, score in rows:
        if link.is_fraud:
            by_source.setdefault(link.source, []).append(score)
    everything = np.concatenate([np.array(scores) for scores in by_source.values()])
    answer: dict[str, Any] = {"fraud": len(everything), "ordinary": len(ordinary)}
    draws = np.random.default_rng(1)
    for share, word in ((0.001, "recall_1_in_1000"), (0.01, "recall_1_in_100")):
        mark = _mark(ordinary, share)
        marks = [_mark(draws.choice(ordinary, len(ordinary)), share) for _ in range(200)]
        low, high = (float((everything > np.quantile(marks, at)).mean()) for at in (0.95, 0.05))
        answer[word] = {
            "all": round(float((everything > mark).mean()), 3), "interval": [round(low, 3), round(high, 3)],
            **{name: round(float((np.array(scores) > mark).mean()), 3) for name, scores in by_source.items()},
        }  # fmt: skip
    return answer


def _mark(ordinary: Any, share: float) -> float:
    return float(np.sort(ordinary)[::-1][int(len(ordinary) * share)])


def renewed(links: list[Link], varied: list[Link], *, taught: bool) -> dict[str, Any]:
    """To 2024 and to the middle of 2025, on what came after that."""
    return {
        f"seen_before_{until}": drift(links, varied, until, since="2025-07", taught=taught)
        for until in ("2025", "2025-07")
    }


def drift(
    links: list[Link], varied: list[Link], until: str = "2025", since: str = "2025", *, taught: bool
) -> dict[str, Any]:
    """To 2024, on 2025, or other dates of that year."""
    training = [link for link in links if (link.date < until if link.is_fraud else half(link.address) == 0)]
    training += [link for link in varied if taught and half(link.address) == 0]
    known = {link.address.registered or link.address.host for link in training}
    judged = {
        link.address.host: link for link in (*links, *varied)
        if (link.is_fraud and "jpcert" in link.source and since <= link.date < "2026") or (not link.is_fraud and half(link.address))
    }  # fmt: skip
    rows = [
        link for link in judged.values()
        if (link.address.registered or link.address.host) not in known and not _is_chosen_on(link.address)
    ]  # fmt: skip
    trained = train_links([Example(link.address, link.is_fraud) for link in training])
    scorer = LinkScorer(Reader(trained.model), "")
    others = {link.address.host for link in varied}
    return {
        "training_hosts": len({link.address.host for link in training}),
        **_with_and_without(
            "host", [(link, float(scorer.host_score(link.address))) for link in rows], others
        ),
        **_with_and_without("link", [(link, float(scorer.score(link.address))) for link in rows], others),
    }


def bundle(links: list[Link], file: Path | None) -> dict[str, Any]:
    """By file: hosts, and which part of them is suspicious and dangerous by what was learnt."""
    scorer = shipped_scorer(fast=True) if file is None else scorer_of(file.read_bytes(), fast=True)
    if scorer is None:
        raise SystemExit("no bundle")
    marks = scorer.model.host_marks, scorer.model.link_marks
    found: dict[str, dict[str, int]] = {}
    for link in links:
        score, of = scorer.score(link.address), marks[has_path(link.address)]
        level = (score >= of.suspicious) + (score >= of.dangerous)
        hosts = found.setdefault(link.source + (f" {link.date[:4]}" if link.date else ""), {})
        hosts.setdefault(link.address.host, level)
    return {
        name: {"hosts": len(hosts)}
        | {word: round(sum(each >= at for each in hosts.values()) / len(hosts), 4) for at, word in ((1, "suspicious"), (2, "dangerous"))}
        for name, hosts in sorted(found.items())
    }  # fmt: skip


def speed(links: list[Link]) -> dict[str, Any]:
    """Microseconds of CPU for a link, and the 99th percentile of one call."""
    profile = profile_of(
        {"name": "Amazon", "official_domains": ["amazon.co.jp"], "partners": ["kuronekoyamato.co.jp"]}
    )
    plain, fast = shipped_scorer(), shipped_scorer(fast=True)
    unknown = [link.url for link in links[:20_000]]
    cases: dict[str, tuple[Callable[[str], object], list[str]]] = {"yardstick_urlsplit": (urlsplit, unknown)}
    for name, given, scorer in (
        ("official", [f"https://www.amazon.co.jp/gp/{at}?ref={at}" for at in range(20_000)], fast),
        ("partner", [f"https://toi.kuronekoyamato.co.jp/cgi/{at}" for at in range(20_000)], fast),
        ("unknown", unknown, None),
        ("unknown_with_model", unknown, plain),
        ("unknown_with_compiled_model", unknown, fast),
    ):
        learned = None if scorer is None else scorer.findings
        cases[name] = (partial(check_link, profile=profile, learned=learned), given)
    spent = dict.fromkeys(cases, float("inf"))
    for _ in range(ROUNDS):
        for name, (judge, given) in cases.items():
            spent[name] = min(spent[name], _timed(judge, given))
    return {
        name: {
            "us": round(us, 2),
            "per_s": round(1e6 / us),
            "p99_us": round(_single(*cases[name]), 1),
            "of_urlsplit": round(us / spent["yardstick_urlsplit"], 1),
        }
        for name, us in spent.items()
    }


def _timed(judge: Callable[[str], object], given: list[str]) -> float:
    """Microseconds of CPU each."""
    started = time.process_time()
    for url in given:
        judge(url)
    return (time.process_time() - started) / len(given) * 1e6


def _single(judge: Callable[[str], object], given: list[str]) -> float:
    """The 99th percentile of single calls, in microseconds."""
    singles = []
    for url in given[:5_000]:
        at = time.thread_time_ns()  # of this thread alone: others work on this machine, too
        judge(url)
        singles.append(time.thread_time_ns() - at)
    return float(np.percentile(singles, 99)) / 1000


if __name__ == "__main__":
    main()
