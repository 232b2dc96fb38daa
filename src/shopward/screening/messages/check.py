"""The check of one message: what it asks for, whom it claims to be, and where it leads.

Promise: pure, linear and bounded; the score is a noisy or of its findings, so that without any of them it would be lower; spans
stand in the text as given. Nothing found means ``unknown``. ``official`` is a message of an official sender that leads nowhere else
and asks for nothing; a sender can be forged, so it never outweighs what speaks against a message.

The steps: (1) the text as it is read; (2) things and words; (3) links; (4) the claim to be the shop, against links, phones,
accounts and the sender; (5) rules, about what is not the shop's, and wording: one probability that the findings of both share;
(6) the verdict.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final, NamedTuple

from shopward.screening.links.check import check_link
from shopward.screening.messages.context import claim_of, link_mismatch, sender_mismatch, thing_mismatch
from shopward.screening.messages.extract import things_in
from shopward.screening.messages.intents import FLOORS, fired
from shopward.screening.messages.learned import letters_of, plain_wording, shipped_model
from shopward.screening.messages.lexicon import hits_in, squeeze
from shopward.screening.messages.normalise import MESSAGE_MAX, normalise
from shopward.screening.senders import check_sender
from shopward.screening.verdict import Finding, Verdict, judged

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from shopward.screening.links.address import Address
    from shopward.screening.links.lists import LinkLists
    from shopward.screening.messages.context import Claim
    from shopward.screening.messages.extract import Thing
    from shopward.screening.messages.intents import Fired
    from shopward.screening.messages.learned import MessageModel
    from shopward.screening.messages.normalise import Normal
    from shopward.screening.profile import Profile

    Learned = Callable[[Address], Sequence[Finding]]

_TOLD_MIN: Final = 0.02
_PLACED_MIN: Final = 0.15
"""From here on the place of the wording is looked for; below it is the whole message."""
_MASKED_LINK: Final = Verdict("unknown", 0.0, ())
"""Of a placeholder: it stands for a link of which nothing is known."""
_QUIET: Final = -4.0
"""Log odds below which wording alone tells nothing: less than ``_TOLD_MIN``."""
_JUDGED_MAX: Final = 40
_DISGUISE: Final = 0.25
_HEARD: Final = frozenset(("link", "phone", "handle", "account"))
_LINK_CODES_KEPT: Final = 4


def check_message(
    text: str,
    profile: Profile,
    *,
    channel: str = "",
    sender: str = "",
    model: MessageModel | None = None,
    lists: LinkLists | None = None,
    learned: Learned | None = None,
    at_ms: int = 0,
) -> Verdict:
    """What a message is.

    Args:
        text: as it was received; its first 4,000 characters are judged.
        profile: of the shop.
        channel: where it came: ``sms``, ``whatsapp``, ``email``...; empty where nobody said.
        sender: as the phone showed it; empty where nobody said.
        model: the learned part; the one that ships where ``None``.
        lists: for its links, as for ``check_link``.
        learned: for its links.
        at_ms: for lists.
    """
    given = text[:MESSAGE_MAX]
    normal = normalise(given)  # (1)
    things, masked = things_in(normal.text, given, normal.places)  # (2)
    squeezed = squeeze(masked)
    hits = hits_in(squeezed)
    groups = {hit.group for hit in hits}
    claim = claim_of(normal, given, squeezed, groups, profile)
    read = _Read(normal, things, groups, claim)
    led = _led(
        read,
        given,
        profile,
        lambda link: check_link(link, profile, lists=lists, learned=learned, at_ms=at_ms),
    )
    by = check_sender(sender, profile, channel=channel) if sender else None
    if by is not None and claim is not None:
        where = normal.span(claim.start, claim.end)
        mismatch = sender_mismatch(claim, by, where, groups, leads_away=led.away)
        if mismatch is not None:
            led.findings.append(mismatch)
    if len(led.strange) < len(things) and not any(each.kind == "account" for each in led.strange):
        hits = [hit for hit in hits if hit.group != "account"]  # what is paid is paid to the shop
    rules = fired(normal.text, led.strange, hits)  # (5)
    firm = groups.isdisjoint(("warning", "negate"))
    letters = letters_of(given, normal)
    found = _of_wording(normal, masked, letters, rules, model or shipped_model(), firm=firm) + led.findings
    if len(text) > MESSAGE_MAX:
        found.append(Finding("message_cut", 0.0, 0, MESSAGE_MAX))
    brand = profile.spec.name if claim is not None and claim.weight == 1.0 else ""
    return _verdict(found, by, brand, quiet=led.official and not led.away)  # (6)


class _Read(NamedTuple):
    """A message as it was read: steps (1), (2) and whom it claims to be."""

    normal: Normal
    things: list[Thing]
    groups: set[str]
    claim: Claim | None


class _Led(NamedTuple):
    """Where a message leads.

    Attributes:
        findings: about links and what is not the shop's.
        strange: things that are nobody's whom the shop knows; what rules are about.
        official: whether every link is the shop's.
        away: whether anything in it is somebody else's.
    """

    findings: list[Finding]
    strange: list[Thing]
    official: bool
    away: bool


def _led(read: _Read, given: str, profile: Profile, judge: Callable[[str], Verdict]) -> _Led:
    """Steps (3) and (4)."""
    if not read.things:
        return _Led([], read.things, official=True, away=False)
    findings: list[Finding] = []
    official, away = True, False
    known: set[Thing] = set()
    for thing in read.things[:_JUDGED_MAX]:
        if thing.kind not in _HEARD:
            continue
        span = read.normal.span(thing.start, thing.end)
        if thing.kind == "link":
            link = given[span[0] : span[1]].replace(" ", "")
            verdict = judge(link) if "." in link or ":" in link or "。" in link else _MASKED_LINK
            findings += [
                each._replace(start=span[0], end=span[1]) for each in verdict.findings[:_LINK_CODES_KEPT]
            ]
            mismatch = link_mismatch(read.claim, verdict, span, read.groups, read.normal, read.things)
            official &= verdict.level == "official"
            is_known = verdict.level in ("official", "known_good")
        else:
            mismatch = thing_mismatch(read.claim, thing, span, read.groups, profile)
            is_known = read.claim is not None and read.claim.weight == 1.0 and mismatch is None
        if is_known:
            known.add(thing)
        else:
            away |= thing.kind == "link" or mismatch is not None
        if mismatch is not None:
            findings.append(mismatch)
    strange = [each for each in read.things if each not in known] if known else read.things
    return _Led(findings, strange, official, away)


def text_odds(text: str, model: MessageModel) -> float:
    """The log odds that a message is fraud by its rules and wording alone: step (5), without sender, links and shop."""
    given = text[:MESSAGE_MAX]
    normal = normalise(given)
    things, masked = things_in(normal.text, given, normal.places)
    rules = fired(normal.text, things, hits_in(squeeze(masked)))
    wording = model.score(plain_wording(masked), letters_of(given, normal))
    return model.bias + sum(model.rules[rule.code] for rule in rules) + wording


def _of_wording(
    normal: Normal, masked: str, letters: str, rules: Sequence[Fired], model: MessageModel, *, firm: bool
) -> list[Finding]:
    """(5): the findings of rules and wording share their common probability, rules by what they weigh of themselves.

    What a rule adds to the odds is the model's: one that was learnt from many messages may leave most of it to their strings,
    and a person still asks for the reason that the rule is.
    """
    shares = [rule.weight for rule in rules]
    plain = plain_wording(masked)
    wording = model.score(plain, letters)
    against = sum(share for share in shares if share > 0.0) + max(wording, 0.0)
    odds = model.bias + sum(model.rules[rule.code] for rule in rules) + wording
    if against <= 0.0 or (odds < _QUIET and not rules):
        return []
    honest = math.log1p(math.exp(min(odds, 30.0)))  # minus the logarithm of the chance that it is honest
    found = [
        Finding(
            rule.code,
            max(
                1.0 - math.exp(-honest * share / against),
                FLOORS.get(rule.code, 0.0) if firm or rule.code == "asks_secret" else 0.0,
            ),
            *normal.span(rule.start, rule.end),
        )
        for rule, share in zip(rules, shares, strict=True)
        if share > 0.0
    ]
    if wording > 0.0:
        share = 1.0 - math.exp(-honest * wording / against)
        where = model.heaviest(plain, masked) if share >= _PLACED_MIN else (0, len(masked))
        found.append(Finding("wording_of_fraud", share, *normal.span(*where)))
    if normal.marks and len(found) > (wording > 0.0):  # a disguise counts where something is disguised
        found.append(Finding(normal.marks[0].code, _DISGUISE, *normal.marks[0][1:]))
    return [each for each in found if each.weight >= _TOLD_MIN]


def _verdict(findings: list[Finding], by: Verdict | None, brand: str, *, quiet: bool) -> Verdict:
    """(6): what speaks against it, strongest first, then what is only said."""
    verdict = judged(findings, brand) if findings else Verdict("unknown", 0.0, (), brand)
    if by is None or by.level != "official":
        return verdict
    told = (*verdict.findings, Finding("official_message_sender", 0.0, 0, 0))
    if quiet and not verdict.is_flagged:
        return Verdict("official", verdict.score, told, by.brand)
    return verdict._replace(findings=told)
