"""Receivers: partners that hear from us of customers who are linked to them; as registered, with their stream, as shown.

Promise: a receiver is a partner of the shop's and hears of the event types that the shop gave it, about the customers that the shop
named to it, and no others. It has one stream. What it has to show is kept as a digest; what it wants shown with a push is sealed.
"""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

from msgspec import Meta, Struct

from shopward.ssf.events import (
    ACCOUNT_DISABLED,
    CHANGE_REQUIRED,
    CREDENTIAL_COMPROMISE,
    IDENTIFIER_CHANGED,
    RECOVERY_CHANGED,
    RISK_LEVEL_CHANGE,
    SESSION_REVOKED,
)
from shopward.ssf.metadata import POLL, PUSH, URL_MAX
from shopward.ssf.transmitters import PeerId, StreamStatus
from shopward.values import to_rfc3339

SUPPORTED: Final = (
    ACCOUNT_DISABLED, CREDENTIAL_COMPROMISE, CHANGE_REQUIRED, SESSION_REVOKED, RECOVERY_CHANGED, IDENTIFIER_CHANGED,
    RISK_LEVEL_CHANGE,
)  # fmt: skip
"""What we tell of: RISC and CAEP 1.0."""
PURPOSE: Final = "signals"
"""The purpose that a partner's scope has to hold."""
VERIFY_EVERY_S: Final = 60
RECEIVERS_MAX: Final = 50
SUBJECT_BYTES_MAX: Final = 8 * 1024

Method = Literal["urn:ietf:rfc:8935", "urn:ietf:rfc:8936"]
EventUri = Annotated[str, Meta(max_length=512)]
Text = Annotated[str, Meta(max_length=1_000)]
HeaderValue = Annotated[str, Meta(max_length=4_096, pattern=r"^[ -~]*\Z")]


class ReceiverAsked(Struct, frozen=True, forbid_unknown_fields=True):
    """A receiver as it is registered.

    Attributes:
        partner: which one; its scope has to hold the purpose ``signals``.
        audience: who it is, as the tokens to it name it.
        events: event types that it may hear of; all that we tell of where left out.
    """

    partner: PeerId
    audience: Annotated[str, Meta(min_length=1, max_length=URL_MAX)]
    events: Annotated[tuple[EventUri, ...], Meta(max_length=64)] = ()


class SubjectAsked(Struct, frozen=True, forbid_unknown_fields=True):
    """A customer, and as whom the receiver knows them (RFC 9493)."""

    user: Annotated[str, Meta(min_length=1, max_length=128)]
    subject: dict[str, Any]


class DeliveryAsked(Struct, frozen=True, omit_defaults=True):
    """How a stream is delivered (SSF 1.0, 6); polling where the method says so."""

    method: Method
    endpoint_url: Annotated[str, Meta(max_length=URL_MAX)] = ""
    authorization_header: HeaderValue = ""


class StreamAsked(Struct, frozen=True):
    """What a receiver says of a stream, whole or in part; what it does not know of is ignored, as the specification wants."""

    stream_id: Annotated[str, Meta(max_length=64)] = ""
    delivery: DeliveryAsked | None = None
    events_requested: Annotated[tuple[EventUri, ...], Meta(max_length=256)] | None = None
    description: Text | None = None


class StatusAsked(Struct, frozen=True):
    """Another status of a stream."""

    stream_id: Annotated[str, Meta(max_length=64)]
    status: StreamStatus
    reason: Text = ""


class SubjectStep(Struct, frozen=True):
    """A subject that a receiver wants to hear of, or no more."""

    stream_id: Annotated[str, Meta(max_length=64)]
    subject: dict[str, Any]


class VerifyAsked(Struct, frozen=True):
    """A verification."""

    stream_id: Annotated[str, Meta(max_length=64)]
    state: Annotated[str, Meta(max_length=1_024)] = ""


class PollAsked(Struct, frozen=True):
    """A poll (RFC 8936, 2.2)."""

    ack: Annotated[tuple[Annotated[str, Meta(max_length=128)], ...], Meta(max_length=1_000)] = ()
    setErrs: Annotated[dict[str, dict[str, Any]], Meta(max_length=1_000)] = {}  # noqa: N815 -- the RFC's name
    maxEvents: Annotated[int, Meta(ge=0)] = 100  # noqa: N815
    returnImmediately: bool = False  # noqa: N815


class Stream(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A stream as it is kept.

    Attributes:
        asked_ms: when a verification was last asked for.
        tries: how often in a row a push failed, since ``failing_since_ms``.
    """

    id: str
    method: Method
    endpoint_url: str = ""
    events: tuple[str, ...] = ()
    description: str = ""
    status: StreamStatus = "enabled"
    reason: str = ""
    asked_ms: int = 0
    tries: int = 0
    failing_since_ms: int = 0
    last_code: str = ""


class Receiver(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A receiver as it is kept; ``id`` is the partner's."""

    id: str
    audience: str
    events: tuple[str, ...]
    token: str
    made_ms: int
    stream: Stream | None = None

    def delivered(self, stream: Stream) -> tuple[str, ...]:
        """The event types that its stream has: asked for, and allowed; all that are allowed where nothing was asked for."""
        return tuple(each for each in self.events if not stream.events or each in stream.events)

    def hears(self, event: str) -> bool:
        """Whether an event of this type goes to it."""
        return (
            self.stream is not None
            and self.stream.status != "disabled"
            and event in self.delivered(self.stream)
        )

    @property
    def is_pushed(self) -> bool:
        """Whether something is to be pushed to it now."""
        return self.stream is not None and self.stream.method == PUSH and self.stream.status == "enabled"


class StreamView(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A stream as its receiver sees it (SSF 1.0, 8.1.1)."""

    stream_id: str
    iss: str
    aud: str
    events_supported: tuple[str, ...]
    events_requested: tuple[str, ...] = ()
    events_delivered: tuple[str, ...] = ()
    delivery: DeliveryAsked
    min_verification_interval: int
    description: str = ""


class StatusView(Struct, frozen=True, omit_defaults=True):
    """The status of a stream."""

    stream_id: str
    status: StreamStatus
    reason: str = ""


class ReceiverView(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A receiver as the shop's own people see it; ``token`` is there once, when it is made."""

    partner: str
    audience: str
    events: tuple[str, ...]
    made_at: str
    subjects: int
    tokens: dict[str, int]
    stream: str = ""
    status: str = ""
    method: str = ""
    last_code: str = ""
    token: str = ""


def stream_view(receiver: Receiver, stream: Stream, issuer: str) -> StreamView:
    """A stream for its receiver; the header that it gave is not shown again."""
    is_poll = stream.method == POLL
    return StreamView(
        stream_id=stream.id, iss=issuer, aud=receiver.audience, events_supported=receiver.events,
        events_requested=stream.events, events_delivered=receiver.delivered(stream),
        delivery=DeliveryAsked(stream.method, f"{issuer}/ssf/poll" if is_poll else stream.endpoint_url),
        min_verification_interval=VERIFY_EVERY_S, description=stream.description,
    )  # fmt: skip


def receiver_view(
    receiver: Receiver, *, subjects: int, tokens: dict[str, int], token: str = ""
) -> ReceiverView:
    """A receiver for the shop's own people."""
    stream = receiver.stream
    return ReceiverView(
        partner=receiver.id, audience=receiver.audience, events=receiver.events, made_at=to_rfc3339(receiver.made_ms),
        subjects=subjects, tokens=tokens, stream=stream.id if stream else "", status=stream.status if stream else "",
        method=stream.method if stream else "", last_code=stream.last_code if stream else "", token=token,
    )  # fmt: skip
