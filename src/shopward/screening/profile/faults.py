"""What would go wrong with a profile, told before it decides anything.

Promise: ``refuse_faults`` raises for a profile that contradicts itself: something of the shop's own that it would call
somebody else's, or a site where anybody has pages called the shop's as a whole. ``warnings_of`` tells what is legal and
unwise: names that hit the sites of institutions that everybody knows, measured against all of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from shopward.errors import InvalidField
from shopward.screening.links.address import read_address
from shopward.screening.links.check import check_link
from shopward.screening.links.known import is_shared, known
from shopward.screening.senders import check_sender

if TYPE_CHECKING:
    from shopward.screening.profile.profile import Profile

SHOWN_MAX: Final = 5


def refuse_faults(profile: Profile) -> None:
    """Raise ``InvalidField`` with the first thing of the shop's own that the profile would flag or give away."""
    spec = profile.spec
    for path, declared in (
        ("official_domains", spec.official_domains),
        ("short_domains", spec.short_domains),
        ("hosted_pages", spec.hosted_pages),
    ):
        for position, link in enumerate(declared):
            place = f"{path}[{position}]"
            address = read_address(link)
            if address.path == "/" and is_shared(address.host):
                raise _fault(place, "a site where anybody has pages of his own", "name the page: host/path")
            if check_link(link, profile).level != "official":
                raise _fault(place, "a link that this profile calls somebody else's", "a partner has it, too")
    for position, partner in enumerate(spec.partners):
        for link in partner.domains:
            if check_link(link, profile).level != "known_good":
                raise _fault(f"partners[{position}].domains", "a domain that is not the partner's alone",
                             "what is the shop's own is not a partner's")  # fmt: skip
    for position, each in enumerate(spec.official_senders):
        if check_sender(each.sender, profile, channel=each.channel).level != "official":
            raise _fault(f"official_senders[{position}]", "a sender that this profile calls somebody else's",
                         "a partner has it, too")  # fmt: skip


def warnings_of(profile: Profile) -> list[str]:
    """Sentences for the operator: which names hit ordinary sites, and which are compared as whole words alone."""
    warnings = [
        f"the name {way.name!r} is compared as a whole word alone: it is short, or an ordinary word"
        for way in profile.lookalikes.ways
        if not way.inside
    ]
    hit: dict[str, list[str]] = {}
    for domain in known().well_known:
        address = read_address(domain)
        if profile.owner(domain) is None:
            for finding in profile.lookalikes.in_host(address):
                hit.setdefault(finding.about, []).append(domain)
    warnings += [
        f"the name {name!r} hits {len(domains)} well-known sites, such as {', '.join(domains[:SHOWN_MAX])}"
        for name, domains in hit.items()
    ]
    return warnings


def _fault(path: str, found: str, hint: str) -> InvalidField:
    return InvalidField(
        "the profile would judge the shop's own wrongly", code="profile_refused", path=path,
        expected="what is the shop's own and nobody else's", found=found, hint=hint,
    )  # fmt: skip
