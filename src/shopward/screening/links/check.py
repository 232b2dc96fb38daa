"""The check of one link: whose is it, does it pretend to be the shop's, and what is wrong about it.

The steps, each a function of the one before; no network, no clock but the caller's:

1. the address is read as a browser would (``address``);
2. what is no web address ends here;
3. a host of the shop is ``official``, one of a partner ``known_good``: nothing else about the link can change whose it is;
4. a site that only passes on is judged by where it leads, a few times, then that alone is a reason;
5. lists of what was reported (``lists``), by url, path, host or domain, while they have not run out;
6. look-alikes of the shop's names (``lookalike``), and what the spelling hides;
7. an institution that everybody knows and on whose site nobody else writes is ``known_good``, unless 4 to 6 found something;
8. the learned part (``model``), where it is given, has its say about all that is left.

Nothing found means ``unknown``: it is not the shop's, and nothing speaks against it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from shopward.screening.links.address import Address, read_address
from shopward.screening.links.known import REDIRECTS_MAX, known, may_pass_on, passes_on_to, well_known
from shopward.screening.verdict import Finding, Verdict, judged

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from shopward.screening.links.lists import LinkLists
    from shopward.screening.profile import Profile

    Learned = Callable[[Address], Sequence[Finding]]

_OWNED: Final = {"official": "official_link", "short": "official_short_link", "page": "official_page"}
_ORDINARY_PORTS: Final = frozenset(("", "80", "443", "8080", "8443"))
_APP_FILES: Final = (".apk", ".apks", ".xapk", ".aab", ".ipa", ".mobileconfig", ".exe", ".msi", ".scr")


def check_link(
    url: str,
    profile: Profile,
    *,
    lists: LinkLists | None = None,
    learned: Learned | None = None,
    at_ms: int = 0,
) -> Verdict:
    """What a link is, as it was pasted.

    Args:
        url: with or without scheme; anything else is answered, too.
        profile: of the shop.
        lists: what was reported and reviewed, and feeds.
        learned: the learned part; ``None`` leaves step 8 out.
        at_ms: the time, for lists; entries that ran out by then do not count.
    """
    return check_address(read_address(url), profile, lists=lists, learned=learned, at_ms=at_ms)


def check_address(
    address: Address,
    profile: Profile,
    *,
    lists: LinkLists | None = None,
    learned: Learned | None = None,
    at_ms: int = 0,
) -> Verdict:
    """``check_link`` for an address that was read already."""
    if address.kind not in ("name", "ipv4", "ipv6") or (address.kind == "name" and "." not in address.host):
        return _no_web(address)
    owner = profile.owner(address.host, address.path + address.query)
    if owner is not None:
        if owner.relation == "partner":
            found = Finding("partner_link", 0.0, address.host_start, address.host_end, owner.name)
            return Verdict("known_good", 0.0, (found,))
        found = Finding(_OWNED[owner.relation], 0.0, address.host_start, address.host_end)
        return Verdict("official", 0.0, (found,), profile.spec.name)
    findings: list[Finding] = []
    onward = _onward(address, findings) if may_pass_on(address.host) else None
    if onward is not None:
        return _passed_on(address, onward, profile, findings, lists=lists, learned=learned, at_ms=at_ms)
    if lists is not None:
        entry = lists.match(address, at_ms)
        if entry is not None:
            findings.append(Finding("listed", 0.9, address.host_start, address.end, entry.source))
    lookalikes = profile.lookalikes
    named = lookalikes.in_host(address) + lookalikes.in_rest(address)
    findings += named
    findings += _spelling(address, named=bool(named))
    institution = well_known(address.host)
    if institution is not None and all(each.code == "brand_in_path" for each in findings):
        found = Finding("well_known_site", 0.0, address.host_start, address.host_end, institution[0])
        return Verdict("known_good", 0.0, (found,))
    if address.host in known().shorteners:
        findings.append(Finding("shortener", 0.25, address.host_start, address.host_end))
    if learned is not None:
        findings += learned(address)
    is_named = bool(named) and any(map(lookalikes.names_shop, named))
    return judged(findings, profile.spec.name if is_named else "")


def _no_web(address: Address) -> Verdict:
    if address.kind == "script":
        return judged((Finding("script_link", 0.9, address.start, address.end),))
    if address.kind == "other":
        return judged(())
    return judged((Finding("not_a_link", 0.0, address.start, address.end),))


def _onward(address: Address, findings: list[Finding]) -> Address | None:
    """Where a chain of sites that only pass on ends; ``None`` where the first is none of them."""
    at: Address = address
    for _ in range(REDIRECTS_MAX):
        target = passes_on_to(at.host, at.path, at.query)
        if not target:
            return None if at is address else at
        at = read_address(target)
    findings.append(Finding("redirects_without_end", 0.6, address.host_end, address.end))
    return at


def _passed_on(
    address: Address,
    onward: Address,
    profile: Profile,
    findings: list[Finding],
    *,
    lists: LinkLists | None,
    learned: Learned | None,
    at_ms: int,
) -> Verdict:
    """The verdict on where it leads; that it is passed on is a reason of its own, and makes nothing official."""
    there = onward._replace(
        start=address.start, end=address.end, host_start=address.host_end, host_end=address.end
    )
    inner = check_address(there, profile, lists=lists, learned=learned, at_ms=at_ms)
    if onward.kind not in ("name", "ipv4", "ipv6"):
        inner = judged((*inner.findings, *findings))
    found = Finding("redirect_unwrapped", 0.1, address.host_end, address.end, onward.shown)
    return judged((found, *findings, *inner.findings), inner.brand)


def _spelling(address: Address, *, named: bool) -> list[Finding]:
    """What about the way a link is written hides where it leads."""
    start, end = address.host_start, address.host_end
    found: list[Finding] = []
    if address.kind != "name":
        found.append(Finding("bare_ip", 0.5, start, end))
        if "ip_spelling" in address.marks:
            found.append(Finding("odd_ip", 0.5, start, end))
    if address.username and not named:
        found.append(Finding("userinfo", 0.5, address.start, start))
    if "hidden" in address.marks or "disguised" in address.marks:
        found.append(Finding("hidden_characters", 0.5, address.start, address.end))
    if address.shown != address.host and _mixes_scripts(address.shown):
        found.append(Finding("mixed_script", 0.5, start, end))
    if address.port not in _ORDINARY_PORTS:
        found.append(Finding("odd_port", 0.3, end, address.end, address.port))
    if "overlong" in address.marks:
        found.append(Finding("overlong", 0.15, address.host_end, address.end))
    if address.path.lower().endswith(_APP_FILES):
        found.append(Finding("app_file", 0.5, address.host_end, address.end))
    return found


def _mixes_scripts(shown: str) -> bool:
    """Whether one label holds Latin letters beside those of another alphabet; CJK beside Latin is ordinary."""
    return any(
        any(each.isascii() and each.isalpha() for each in label)
        and any("\u0370" <= each <= "\u07ff" for each in label)
        for label in shown.split(".")
    )
