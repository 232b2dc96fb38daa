"""``ports.Outward``: asks a server of another company's, over HTTP/1.1.

Promise: what ``calling`` promises, over TLS or on this machine. A host that somebody else named (``named_by`` is who was
trusted to name it) is called at a public address alone, the very one that was looked up, so that no name leads into the
shop's own network; the trusted host itself may stand anywhere, since an administrator named it. No answer, or one that
breaks off, is ``Said(0, b"")`` and never an error: an outside that is down is a state.
"""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING, Final

from shopward.adapters.calling import Caller, anywhere
from shopward.ports import Said
from shopward.values import stays_private, url_parts

if TYPE_CHECKING:
    from collections.abc import Mapping

TIMEOUT_S: Final = 10.0
ANSWER_BYTES_MAX: Final = 8 * 1024 * 1024
"""A hundred of the largest tokens, as one answer to a poll."""
NOTHING: Final = Said(0, b"")


class HttpOutward:
    """Asks; may be called from any thread.

    Args:
        timeout_s: for everything but looking up a name.
    """

    def __init__(self, *, timeout_s: float = TIMEOUT_S) -> None:
        self._caller = Caller(timeout_s=timeout_s, body_bytes_max=ANSWER_BYTES_MAX)

    def ask(
        self, method: str, url: str, *, named_by: str, body: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> Said:  # fmt: skip
        """Status and body of one call; 0 and nothing where there was no answer."""
        parts, trusted = url_parts(url), url_parts(named_by).hostname
        if not stays_private(parts.scheme, parts.hostname):
            return NOTHING
        admits = anywhere if parts.hostname == trusted else _is_public
        heard = self._caller.ask(method, url, headers=headers or {}, body=body, admits=admits)
        return NOTHING if heard.lacks else Said(heard.status, heard.body)


def _is_public(address: str) -> bool:
    return ipaddress.ip_address(address).is_global
