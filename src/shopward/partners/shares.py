"""Shares: some fields of some rows for one purpose, until a moment, sealed to the partner's key.

Promise: each page is sealed on its own by HPKE (RFC 9180, X25519, HKDF-SHA256, AES-256-GCM, base mode), bound to the partner,
the share and its number, so that a page cannot stand in for another; ``refusal_of`` asks all that could forbid a page, at
the moment it is asked for, so that a suspension holds in the middle of a download. The store holds sealed pages alone.
"""

from __future__ import annotations

import hashlib
import hmac
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hpke
from msgspec import Struct

from shopward.errors import InvalidField, MalformedInput
from shopward.partners.partner import end_ms, key_of
from shopward.partners.presets import presets

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

    from shopward.partners.partner import Partner

PAGE_ROWS: Final = 200
ROWS_MAX: Final = 10_000
DAYS_MAX: Final = 366
DAY_MS: Final = 86_400_000
VALUE_CHARS_MAX: Final = 2_000
_SUITE: Final = hpke.Suite(hpke.KEM.X25519, hpke.KDF.HKDF_SHA256, hpke.AEAD.AES_256_GCM)


class Share(Struct, frozen=True):
    """One share.

    Attributes:
        rows: how many it has or names.
        digest: of the token that opens it.
        state: ends with ``closed``.
        source: ``rows`` that were given and lie sealed, or records of the ``vault``, made into pages when they are pulled.
    """

    id: str
    partner: str
    purpose: str
    fields: tuple[str, ...]
    rows: int
    pages: int
    digest: str
    made_by: str
    made_ms: int
    expires_ms: int
    state: Literal["open", "closed"] = "open"
    source: Literal["rows", "vault"] = "rows"


class Refusal(NamedTuple):
    """Why a page is not given: a stable code and a sentence."""

    code: str
    message: str


def check_share(partner: Partner, purpose: str, fields: Sequence[str], *, rows: int, days: int) -> None:
    """Raise ``InvalidField`` for a share that goes beyond the partner's scope or its preset."""
    allowed = partner.scope.get(purpose, ())
    if not set(fields) <= set(allowed) or not fields:
        raise InvalidField("the scope does not allow this", path="fields", expected=", ".join(allowed) or "a purpose of the scope", found="other fields or purpose")  # fmt: skip
    preset = presets().get(partner.preset)
    rows_max = min(ROWS_MAX, preset.rows_max if preset else ROWS_MAX)
    days_max = min(DAYS_MAX, preset.days_max if preset else DAYS_MAX)
    if not 1 <= rows <= rows_max:
        raise InvalidField("so many rows are not shared at once", path="rows", expected=f"1 to {rows_max}", found=str(rows))  # fmt: skip
    if not 1 <= days <= days_max:
        raise InvalidField("a share does not live so long", path="days", expected=f"1 to {days_max}", found=str(days))  # fmt: skip


def check_rows(fields: Sequence[str], rows: Sequence[Mapping[str, str]]) -> None:
    """Raise ``InvalidField`` for a row that has more than an id and the fields of the share."""
    for number, row in enumerate(rows):
        if not set(row) <= {*fields, "id"} or "id" not in row:
            raise InvalidField("a row has other fields", path=f"rows[{number}]", expected="id, " + ", ".join(fields), found="other fields")  # fmt: skip
        if any(len(value) > VALUE_CHARS_MAX for value in row.values()):
            raise InvalidField("a value is too long", path=f"rows[{number}]", expected=f"{VALUE_CHARS_MAX} characters at most")  # fmt: skip


def bar_of(partner: Partner, *, now_ms: int) -> Refusal | None:
    """What forbids a partner everything now. Fails closed."""
    if partner.state == "suspended":
        return Refusal("partner_suspended", "the partner is suspended")
    if partner.state == "ended" or now_ms >= end_ms(partner.agreement):
        return Refusal("partner_agreement_over", "the agreement with the partner is over")
    return None


def refusal_of(partner: Partner, share: Share, *, page: int, now_ms: int) -> Refusal | None:
    """What forbids a page now; asked in the transaction that answers. Fails closed."""
    barred = bar_of(partner, now_ms=now_ms)
    if barred is not None:
        return barred
    if share.state != "open" or now_ms >= share.expires_ms:
        return Refusal("share_over", "the share is over")
    if share.purpose not in partner.scope or not set(share.fields) <= set(partner.scope[share.purpose]):
        return Refusal("share_beyond_scope", "the scope was narrowed since")
    if not 0 <= page < share.pages:
        return Refusal("share_page_missing", "the share has no such page")
    return None


def opens(share: Share, token: str) -> bool:
    """Whether a token is the share's, in constant time."""
    return hmac.compare_digest(digest_of(token), share.digest)


def digest_of(token: str) -> str:
    """What is kept of a token."""
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()


def seal_page(partner: Partner, share_id: str, page: int, rows: Sequence[Mapping[str, str]]) -> bytes:
    """The rows of one page as only the partner's private key opens them."""
    return _SUITE.encrypt(msgspec.json.encode(rows), key_of(partner), info=_info(partner.id, share_id, page))


def open_page(private_key: X25519PrivateKey, partner_id: str, share_id: str, page: int, sealed: bytes) -> list[dict[str, str]]:  # fmt: skip
    """What a partner does with a page; raises ``MalformedInput`` for any other page, share, partner or key."""
    try:
        plain = _SUITE.decrypt(sealed, private_key, info=_info(partner_id, share_id, page))
    except (InvalidTag, ValueError):
        raise MalformedInput(
            "the page does not open", expected="the page of this share, sealed to this key"
        ) from None
    return msgspec.json.decode(plain, type=list[dict[str, str]])


def _info(partner_id: str, share_id: str, page: int) -> bytes:
    """Bound into the key: each part with its length in front."""
    parts = [b"shopward share v1", partner_id.encode(), share_id.encode(), str(page).encode()]
    return b"".join([len(part).to_bytes(2, "big") + part for part in parts])
