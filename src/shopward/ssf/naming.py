"""By which token of the shop's a foreign subject is looked for.

Promise: a subject becomes a name (``sub`` of the transmitter's own issuer, ``email:``, ``phone:``, ``uri:``), and a name the token that
the shop sends in ``identity_link`` events: the name itself, or under the link secret of the transmitter its HMAC-SHA-256 in
base64url, which tells nothing without the secret. A subject of another issuer than the transmitter's has no name: a company
speaks of its own accounts alone.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from shopward.ssf.subjects import Subject

_NOT_DIALLED: Final = str.maketrans("", "", " -().")


def name_of(subject: Subject, issuer: str) -> str | None:
    """The name of a simple subject; none where it can be nobody's here."""
    values = subject.values
    if subject.format == "iss_sub":
        return values["sub"] if values["iss"] == issuer else None
    if subject.format == "opaque":
        return values["id"]
    if subject.format == "email":
        return "email:" + values["email"].strip().lower()
    if subject.format == "phone_number":
        return "phone:" + values["phone_number"].translate(_NOT_DIALLED)
    if subject.format in ("account", "uri", "did"):
        return "uri:" + next(iter(values.values()))
    return None


def link_token(name: str, secret: bytes) -> str:
    """The shop's token of a name; without a secret the name itself."""
    if not secret:
        return name
    digest = hmac.digest(secret, name.encode(), hashlib.sha256)
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")
