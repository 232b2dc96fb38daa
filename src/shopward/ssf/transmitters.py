"""Transmitters: other companies that tell us of accounts which are linked to ours; as registered, as kept, as shown.

Promise: a transmitter is registered by an administrator and speaks of one provider, as ``identity_link`` events name it; what can be
found out from its own configuration is, and the rest is asked for. What it has to show and what we show it is kept as a
digest or sealed; ``view`` has no secret in it, but for the one time when it is made.
"""

from __future__ import annotations

import hashlib
import hmac
from typing import Annotated, Final, Literal

from msgspec import Meta, Struct

from shopward.errors import ShopwardError
from shopward.events.catalogue import Word
from shopward.ssf.metadata import URL_MAX
from shopward.ssf.sets import Expected, Profile
from shopward.values import to_rfc3339

Delivery = Literal["push", "poll"]
StreamStatus = Literal["enabled", "paused", "disabled"]
PeerId = Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9_.\-]{0,63}\Z")]
Url = Annotated[str, Meta(max_length=URL_MAX)]
Secret = Annotated[str, Meta(max_length=4_096, pattern=r"^[!-~]*\Z")]
TRANSMITTERS_MAX: Final = 50
ASKED_MAX: Final = 8


class PeerUnreachable(ShopwardError):
    """The other company does not answer, or with nothing of use: ask again."""

    code = "transmitter_unreachable"
    status = 503


class TransmitterAsked(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A transmitter as it is registered.

    Attributes:
        id: a short name of the shop's choice; it stands in the address that is pushed to.
        provider: whose accounts it speaks of, as events name it.
        issuer: as its tokens name it; its configuration is looked for under it.
        profile: how it writes its tokens.
        audience: who we are to it; where a stream is made, the transmitter says so.
        delivery: whether it pushes, or is asked.
        access_token: what we show it to make a stream, to verify and to poll; without it the stream is made by hand.
        jwks_uri, poll_url: where its configuration does not say so.
        link_secret: under which the shop makes the tokens of foreign accounts; without it a token is the ``sub`` itself.
        is_open: whether anybody may push here: for who cannot be given a header, as Google and Apple.
    """

    id: PeerId
    provider: Annotated[Word, Meta(min_length=1)]
    issuer: Annotated[str, Meta(min_length=1, max_length=URL_MAX)]
    profile: Profile = "ssf"
    audience: Annotated[tuple[Url, ...], Meta(max_length=8)] = ()
    delivery: Delivery = "push"
    access_token: Secret = ""
    jwks_uri: Url = ""
    poll_url: Url = ""
    link_secret: Secret = ""
    is_open: bool = False


class Transmitter(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A transmitter as it is kept.

    Attributes:
        jwks, jwks_ms: its keys, and when they were fetched.
        stream: the id of its stream to us.
        status, status_s: of the stream, as the transmitter said last, and when it said so.
        pusher: the digest of what a push has to show; empty where nothing.
        asked_states: the digests of the states of verifications that may be under way.
        verified_ms: when it last proved that its tokens reach us.
    """

    id: str
    provider: str
    issuer: str
    profile: Profile
    audience: tuple[str, ...]
    delivery: Delivery
    jwks_uri: str
    jwks: str = ""
    jwks_ms: int = 0
    critical: tuple[str, ...] = ()
    stream: str = ""
    configuration_url: str = ""
    verification_url: str = ""
    poll_url: str = ""
    status: StreamStatus = "enabled"
    status_s: int = 0
    pusher: str = ""
    asked_states: tuple[str, ...] = ()
    verified_ms: int = 0
    created_ms: int

    @property
    def expected(self) -> Expected:
        """What its tokens have to say."""
        return Expected(self.issuer, frozenset(self.audience), self.profile, frozenset(self.critical))

    def admits(self, authorization: str) -> bool:
        """Whether a push shows what it has to. Fails closed."""
        return not self.pusher or hmac.compare_digest(self.pusher, digest_of(authorization))


class Secrets(Struct, frozen=True, omit_defaults=True):
    """What is sealed beside a transmitter."""

    access_token: str = ""
    link_secret: str = ""


class TransmitterView(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A transmitter as it is shown.

    Attributes:
        push_path: where it pushes to, below this server's address.
        authorization: what it has to send with every push; when it is made, and never again.
        received: how many tokens of the last 90 days had which outcome.
    """

    id: str
    provider: str
    issuer: str
    profile: Profile
    audience: tuple[str, ...]
    delivery: Delivery
    stream: str = ""
    status: StreamStatus
    push_path: str = ""
    authorization: str = ""
    created_at: str
    verified_at: str = ""
    last_at: str = ""
    received: dict[str, int] = {}


def view(
    kept: Transmitter, *, received: dict[str, int], last_ms: int = 0, authorization: str = ""
) -> TransmitterView:
    """A transmitter for the API."""
    return TransmitterView(
        id=kept.id, provider=kept.provider, issuer=kept.issuer, profile=kept.profile, audience=kept.audience,
        delivery=kept.delivery, stream=kept.stream, status=kept.status,
        push_path=push_path(kept.id) if kept.delivery == "push" else "", authorization=authorization,
        created_at=to_rfc3339(kept.created_ms), verified_at=to_rfc3339(kept.verified_ms) if kept.verified_ms else "",
        last_at=to_rfc3339(last_ms) if last_ms else "", received=received,
    )  # fmt: skip


def push_path(transmitter_id: str) -> str:
    """Where a transmitter pushes to."""
    return f"/ssf/events/{transmitter_id}"


def digest_of(secret: str) -> str:
    """What is kept of a secret that somebody has to show."""
    return hashlib.sha256(secret.encode()).hexdigest()
