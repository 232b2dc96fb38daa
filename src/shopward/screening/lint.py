"""The shop's own templates under the checker that its customers use: what would make an honest message look like fraud.

Promise: pure; a template is good when its links are the shop's own, none hides where it leads, a message with a code ends with
the line that binds it to the shop's origin and says that nobody asks for it, and the checker itself does not warn of it.
Placeholders such as ``{code}`` stay as they are; a placeholder that stands for a whole link cannot be judged and is told.

The line that binds a code: ``@shop.example #123456`` as the last line (WICG, "Origin-bound one-time codes delivered via
SMS"); browsers fill such a code in on that site alone.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from shopward.screening.links.address import read_address
from shopward.screening.links.check import check_address
from shopward.screening.links.known import known
from shopward.screening.messages.check import check_message
from shopward.screening.messages.extract import things_in
from shopward.screening.messages.lexicon import hits_in, squeeze
from shopward.screening.messages.normalise import MESSAGE_MAX, normalise
from shopward.screening.verdict import Finding

if TYPE_CHECKING:
    from shopward.screening.profile import Profile

_BOUND: Final = re.compile(
    r"@(?P<host>[a-z0-9.\-]+) #(?P<code>[^\s#]{1,32})(?: %[a-z0-9.\-]+)?", re.IGNORECASE
)
_LINK_PLACEHOLDER: Final = re.compile(
    r"[{<\[%]{1,2}\s?(?:url|link|tautan|链接|网址)\w*\s?[}>\]%]{1,2}", re.IGNORECASE
)
_SAYS_NEVER: Final = frozenset(("warning",))
_CODE: Final = "secret"
FAULT: Final = 1.0


def lint_template(text: str, profile: Profile, *, has_code: bool | None = None) -> list[Finding]:
    """What is wrong with a template, in the order of the text; empty where it is good.

    Args:
        text: of the template, in any of the three languages.
        profile: of the shop.
        has_code: whether it carries a one-time code; told by its words where ``None``.
    """
    given = text[:MESSAGE_MAX]
    normal = normalise(given)
    things, masked = things_in(normal.text, given)
    groups = {hit.group for hit in hits_in(squeeze(masked))}
    last = given.rstrip().rpartition("\n")[2].strip()
    bound = _BOUND.fullmatch(last)
    faults: list[Finding] = []
    for thing in things:
        start, end = normal.span(thing.start, thing.end)
        if thing.kind == "link":
            faults += _of_link(given[start:end], start, end, profile)
    faults += [
        Finding("template_link_unknown", FAULT, found.start(), found.end(), found[0])
        for found in _LINK_PLACEHOLDER.finditer(given)
    ]
    if has_code if has_code is not None else (_CODE in groups or bound is not None):
        at = len(given.rstrip()) - len(last)
        owner = profile.owner(bound["host"].lower()) if bound else None
        if bound is None:
            faults.append(Finding("template_code_unbound", FAULT, at, len(given)))
        elif owner is None or owner.relation != "official":
            faults.append(Finding("template_code_of_other", FAULT, at, len(given), bound["host"]))
        if groups.isdisjoint(_SAYS_NEVER):
            faults.append(Finding("template_without_warning", FAULT, 0, len(given)))
    if not faults:
        faults += _flagged(given, profile)
    return sorted(faults, key=lambda each: (each.start, each.code))


def _of_link(link: str, start: int, end: int, profile: Profile) -> list[Finding]:
    if _LINK_PLACEHOLDER.fullmatch(link):
        return []
    address = read_address(link)
    level = check_address(address, profile).level
    if level == "official":
        return []
    code = "template_shortener" if address.host in known().shorteners else "template_link_foreign"
    return [Finding(code, FAULT, start, end, address.shown or link)]


def _flagged(given: str, profile: Profile) -> list[Finding]:
    """What the checker would tell a customer of it."""
    verdict = check_message(given, profile)
    if not verdict.is_flagged:
        return []
    return [
        Finding("template_flagged", FAULT, each.start, each.end, each.code)
        for each in verdict.findings
        if each.weight
    ]
