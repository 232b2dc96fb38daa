"""What message screening finds, and how fast: on messages and links that you supply.

    python benchmarks/screening_messages.py --messages a.csv --messages b.csv --links jpcert.csv --sites majestic.csv [--folds 4] [--only speed]

``--messages`` are CSV files with ``lang``, ``label`` (``fraud`` or another word), ``text`` and ``group`` (near-duplicates share one);
``--links`` has ``url`` and a brand's name, as JPCERT/CC publishes them; ``--sites`` has ordinary hosts. Each part prints JSON lines:

- ``held_out``: trained on the other folds of groups, so that no message judges a bundle that saw its like; pooled, by language, by file.
  Counted is the half of the groups on which nothing was chosen: ridges were chosen on the other, which is learnt from as well
  (``--chosen`` counts that half instead: for choosing anew);
- ``disguised``: the frauds of the held-out folds under disguises that nothing was tuned on, at the score that 1 in 100 honest ones reach;
- ``shipped``: the bundle that ships, which saw one of the sets at most;
- ``context``: a real phishing link in a message that names its brand, with the brand's official domains alone as profile; official
  links; honest messages that name the brand and carry others' links;
- ``speed``: messages a core second through the whole check, in plain Python and with machine code (extra ``fast``), beside one pass
  of a regular expression over the same texts.
"""

from __future__ import annotations

import argparse
import csv
import json
import random
import re
import time
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from shopward.screening import check_link, profile_of
from shopward.screening.messages import MessageModel, check_message, shipped_model
from shopward.screening.messages.check import text_odds
from shopward.screening.messages.training import Labelled, figures, groups_apart, train

if TYPE_CHECKING:
    from collections.abc import Callable

SEED = 11
ROUNDS = 4
PLACEHOLDERS = re.compile(r"\b(URL\w*|CELLPHONE|PHONE|HOTLINE|DIGIT|NAME|PLACE|WECHAT|QQ)\b")
BRANDS = {
    "Amazon": ["amazon.co.jp", "amazon.com", "amazon.jp", "amzn.to", "amazonaws.com", "media-amazon.com"],
    "メルカリ": ["mercari.com", "mercari.jp"],
    "楽天": ["rakuten.co.jp", "rakuten.com", "rakuten.ne.jp"],
    "PayPay": ["paypay.ne.jp"],
    "ヨドバシ": ["yodobashi.com"],
    "三越伊勢丹": ["mistore.jp", "isetan.co.jp"],
}
NAMES = {
    "メルカリ": ["Mercari"], "楽天": ["Rakuten", "楽天市場"], "ヨドバシ": ["Yodobashi", "ヨドバシカメラ"],
    "三越伊勢丹": ["Mitsukoshi Isetan", "mistore"],
}  # fmt: skip
POSING = [
    "{name}: your account needs attention, see {link}",
    "Dear {name} customer, please sign in again: {link}",
    "{name} {link}",
    "Pelanggan {name}, akun Anda ditangguhkan. Verifikasi di {link}",
    "Pesanan {name} Anda tertahan, cek {link}",
    "【{name}】您的账户异常，请登录 {link} 处理",
]
OFFICIAL = [
    "{name}: your order has shipped, track it at {link}",
    "Pesanan {name} dikirim, cek {link}",
    "【{name}】订单已发货 {link}",
]
HONEST = [
    "Paket {name} kamu dibawa kurir, lacak di {link}",
    "Your {name} parcel is on its way, track it with the courier: {link}",
    "您的{name}包裹已由快递揽收，查询 {link}",
    "Bayar pesanan {name} lewat {link}",
    "Pay for your {name} order with your bank at {link}",
    "{name} opens a new warehouse this week, the report is at {link}",
    "{name} membuka gudang baru pekan ini, beritanya di {link}",
    "{name}本周新开仓库，报道见 {link}",
]
KNOWN = [
    "https://www.jne.co.id/tracking-package", "https://jet.co.id/track", "https://www.dhl.com/id-id/home/tracking.html",
    "https://www.fedex.com/fedextrack/?trknbr=1", "https://www.sf-express.com/chn/sc", "https://www.kuronekoyamato.co.jp/",
    "https://www.klikbca.com/", "https://www.bankmandiri.co.id/", "https://www.dbs.com.sg/", "https://www.icbc.com.cn/",
    "https://www.kompas.com/ekonomi/1", "https://www.bbc.com/news/business-1", "https://www.reuters.com/technology/",
    "https://www.detik.com/finance/1", "https://www.xinhuanet.com/tech/1",
]  # fmt: skip


class Row(NamedTuple):
    """A message of a set."""

    language: str
    source: str
    message: Labelled


def main() -> None:
    """Every part for which there are files."""
    given = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    given.add_argument("--messages", type=Path, action="append", default=[])
    given.add_argument("--links", type=Path)
    given.add_argument("--sites", type=Path)
    given.add_argument("--folds", type=int, default=4)
    given.add_argument("--chosen", action="store_true", help="count the half on which choices are made")
    given.add_argument("--only", nargs="*", default=["shipped", "held_out", "context", "speed"])
    args = given.parse_args()
    rows = [row for file in args.messages for row in _rows(file)]
    if rows and "shipped" in args.only:
        _shipped(rows)
    if rows and "held_out" in args.only:
        _held_out(rows, args.folds, on_chosen=args.chosen)
    if args.links and "context" in args.only:
        _context(args.links, args.sites)
    if "speed" not in args.only:
        return
    _speed(
        [row.message.text for row in rows]
        or [each.format(name="Amazon", link=KNOWN[0]) for each in HONEST * 50]
    )


def _rows(file: Path) -> list[Row]:
    with file.open(encoding="utf-8", newline="") as lines:
        return [
            Row(row["lang"], file.stem, Labelled(row["text"], row["label"] == "fraud", row["group"]))
            for row in csv.DictReader(lines)
        ]


def _shipped(rows: list[Row]) -> None:
    model = shipped_model()
    _told("shipped", rows, np.array([text_odds(row.message.text, model) for row in rows]))


def _is_chosen_on(message: Labelled) -> bool:
    """Whether a group is of the half on which ridges were chosen."""
    return zlib.crc32(f"choose:{message.group or message.text}".encode()) % 2 == 0


def _held_out(rows: list[Row], folds: int, *, on_chosen: bool) -> None:
    messages = [row.message for row in rows]
    fold = groups_apart(messages, folds=folds)
    is_counted = [_is_chosen_on(each) == on_chosen for each in messages]
    scores, disguised = np.zeros(len(rows)), {name: np.full(len(rows), np.nan) for name in DISGUISES}
    source = random.Random(SEED)
    for number in range(folds):
        others = [each for each, own in zip(messages, fold, strict=True) if own != number]
        model = MessageModel(train(others, about={}))
        for place, (each, own) in enumerate(zip(messages, fold, strict=True)):
            if own == number and is_counted[place]:
                scores[place] = text_odds(each.text, model)
                if each.is_fraud:
                    for name, disguise in DISGUISES.items():
                        disguised[name][place] = text_odds(_disguised(each.text, disguise, source), model)
    scores = scores[is_counted]
    disguised = {name: found[is_counted] for name, found in disguised.items()}
    rows = [row for row, counted in zip(rows, is_counted, strict=True) if counted]
    _told("held_out", rows, scores)
    frauds = np.array([row.message.is_fraud for row in rows])
    for language in sorted({row.language for row in rows}):
        spoken = np.array([row.language == language for row in rows])
        honest = np.sort(scores[~frauds])[::-1]
        line = honest[len(honest) // 100]
        clean = float((scores[frauds & spoken] > line).mean())
        for name, found in disguised.items():
            recall = float((found[frauds & spoken] > line).mean())
            _say("disguised", language=language, disguise=name, recall=round(recall, 4), clean=round(clean, 4),
                 points_lost=round(100 * (clean - recall), 1))  # fmt: skip


def _told(what: str, rows: list[Row], scores: Any) -> None:
    labels = np.array([row.message.is_fraud for row in rows])
    _say(what, part="pooled", **figures(scores, labels))
    parts = {f"language {row.language}" for row in rows} | {f"file {row.source}" for row in rows}
    for part in sorted(parts):
        own = np.array([part in (f"language {row.language}", f"file {row.source}") for row in rows])
        if labels[own].any() and not labels[own].all():
            _say(what, part=part, **figures(scores[own], labels[own]))


def _disguised(text: str, disguise: Callable[[str, random.Random], str], source: random.Random) -> str:
    """The words of a message under a disguise; what a set put in place of links and numbers stays as it is."""
    parts = PLACEHOLDERS.split(text)
    return "".join(part if at % 2 else disguise(part, source) for at, part in enumerate(parts))


def _split(text: str, source: random.Random) -> str:
    return " ".join(
        w[: len(w) // 2] + " " + w[len(w) // 2 :] if len(w) > 5 and source.random() < 0.5 else w
        for w in text.split(" ")
    )


def _between(sign: str) -> Callable[[str, random.Random], str]:
    def disguise(text: str, source: random.Random) -> str:
        return " ".join(
            sign.join(w) if w.isalpha() and len(w) > 2 and source.random() < 0.5 else w
            for w in text.split(" ")
        )

    return disguise


def _mapped(pairs: str) -> Callable[[str, random.Random], str]:
    table = str.maketrans(dict(pair.split("=") for pair in pairs.split()))
    return lambda text, _: text.translate(table)


DISGUISES: dict[str, Callable[[str, random.Random], str]] = {
    "words split by a space": _split,
    "underscores in words": _between("_"),
    "word joiners in words": _between("\u2060"),
    "hearts in words": _between("❤"),
    "Greek letters": _mapped("a=α o=ο e=ε i=ι u=υ p=ρ"),
    "circled letters": lambda text, _: "".join(chr(0x24D0 + ord(e) - 97) if "a" <= e <= "z" else e for e in text.lower()),
    "accents": lambda text, _: "".join(e + "\u0323" if e in "aeiou" else e for e in text),
    "digits for letters": _mapped("o=0 e=3 a=4"),
    "random case": lambda text, source: "".join(e.upper() if source.random() < 0.5 else e.lower() for e in text),
}  # fmt: skip


def _context(links: Path, sites: Path | None) -> None:
    source = random.Random(SEED)
    with links.open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines))
    brand_column = next(each for each in rows[0] if each in ("brand", "description", "label"))
    link_column = next(each for each in rows[0] if each in ("url", "URL", "link", "domain"))
    hosts = []
    if sites is not None:
        with sites.open(encoding="utf-8", newline="") as lines:
            hosts = [
                f"https://{row.get('domain') or row.get('host') or next(iter(row.values()))}/"
                for row in csv.DictReader(lines)
            ]
    totals = dict.fromkeys(
        (
            "phishing",
            "phishing_flagged",
            "official",
            "official_flagged",
            "known",
            "known_flagged",
            "site",
            "site_flagged",
        ),
        0,
    )
    for brand, domains in BRANDS.items():
        names = [brand, *NAMES.get(brand, [])]
        profile = profile_of({"name": brand, "aliases": names[1:], "official_domains": domains})
        own = [row[link_column] for row in rows if brand.lower() in row[brand_column].lower()]
        asked = {
            "phishing": [(POSING, each) for each in own],
            "official": [
                (OFFICIAL, f"https://{way}{each}/orders/1") for each in domains for way in ("", "www.", "m.")
            ],
            "known": [(HONEST, each) for each in KNOWN * 6],
            "site": [(HONEST[5:], each) for each in source.sample(hosts, min(300, len(hosts)))],
        }
        for kind, pairs in asked.items():
            for templates, link in pairs:
                text = source.choice(templates).format(name=source.choice(names), link=link)
                totals[kind] += 1
                if kind == "phishing" and check_link(link, profile).level in ("official", "known_good"):
                    continue
                totals[f"{kind}_flagged"] += check_message(text, profile).is_flagged
    _say("context", **totals, phishing_flagged_part=round(totals["phishing_flagged"] / max(totals["phishing"], 1), 5),
         honest_flagged_part=round((totals["known_flagged"] + totals["site_flagged"]) / max(totals["known"] + totals["site"], 1), 4))  # fmt: skip


def _speed(texts: list[str]) -> None:
    source = random.Random(SEED)
    sample = [source.choice(texts) for _ in range(5_000)]
    profile = profile_of(
        {"name": "Toko Nusantara", "official_domains": ["tokonusa.co.id"], "order_pattern": "TN-[0-9]{8}"}
    )
    models = {"plain": shipped_model(), "compiled": shipped_model(fast=True)}
    spent = dict.fromkeys(models, float("inf"))
    spent_words = float("inf")
    singles: dict[str, list[float]] = {name: [] for name in models}
    word = re.compile(r"\w+")
    for _ in range(ROUNDS):  # by turns: others work on this machine, too
        for name, model in models.items():
            started = time.process_time()
            for text in sample:
                check_message(text, profile, model=model)
            spent[name] = min(spent[name], time.process_time() - started)
        started = time.process_time()
        for text in sample:
            word.findall(text)
        spent_words = min(spent_words, time.process_time() - started)
    for name, model in models.items():
        for text in sample:
            started = time.process_time()
            check_message(text, profile, model=model)
            singles[name].append(time.process_time() - started)
        singles[name].sort()
        _say("speed", code=name, messages_a_core_second=round(len(sample) / spent[name]),
             mean_chars=round(sum(map(len, sample)) / len(sample)),
             p50_ms=round(1e3 * singles[name][len(sample) // 2], 3),
             p99_ms=round(1e3 * singles[name][len(sample) * 99 // 100], 3),
             times_the_yardstick=round(spent[name] / spent_words, 1))  # fmt: skip


def _say(what: str, **told: Any) -> None:
    print(
        json.dumps({"benchmark": "screening_messages", "what": what, **told}, ensure_ascii=False), flush=True
    )


if __name__ == "__main__":
    main()
