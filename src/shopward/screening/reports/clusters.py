"""What reports have in common, and what of a report is kept.

Promise: pure. Two reports of one fraud share a cluster although its numbers and paths differ: links by their registered
domain (by host and path where anybody has pages on it), senders by their digits or name. Of what was reported only the
evidence of the verdict is kept, with every digit masked but those of a host, so that no code, amount or account stays.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from shopward.screening.folding import squeezed
from shopward.screening.links.address import read_address
from shopward.screening.links.known import is_shared

if TYPE_CHECKING:
    from shopward.screening.verdict import Verdict

CLUSTER_MAX: Final = 300
_SITE_MAX: Final = 120
"""Of a cluster's name, so that the keys of a wording have room behind it."""
EVIDENCE_MAX: Final = 160
_DIGIT: Final = re.compile(r"\d")
_HOST_CODES: Final = frozenset(("official_inside", "embedded_suffix", "bare_ip", "odd_ip", "listed"))


def cluster_of(*, url: str = "", sender: str = "") -> str:
    """What reports of the same thing share; empty where nothing says so."""
    if url:
        address = read_address(url)
        if address.kind in ("name", "ipv4", "ipv6"):
            whose = address.registered or address.host
            if is_shared(address.host) or is_shared(whose):
                return f"page {address.host}{address.path.rstrip('/')}"[:_SITE_MAX]
            return f"site {whose}"[:_SITE_MAX]
    known = squeezed(sender)
    return f"sender {known}"[:_SITE_MAX] if known else ""


def evidence_of(verdict: Verdict, given: str) -> list[dict[str, str]]:
    """Code and place of each reason, digits masked where they could be somebody's."""
    kept = []
    for finding in verdict.findings:
        text = given[finding.start : finding.end][:EVIDENCE_MAX]
        is_of_host = finding.code.startswith("brand_") or finding.code in _HOST_CODES
        kept.append({"code": finding.code, "text": text if is_of_host else _DIGIT.sub("*", text)})
    return kept
