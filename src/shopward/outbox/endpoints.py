"""Endpoints: where the shop is told; as asked for, as kept, as shown.

Promise: a URL is https, or http on this machine, or a mailbox (``mailto:``, RFC 6068); it carries no user name, no password and no fragment, so that nothing
secret stands where it is shown. The secret is shown once, when it is made, and is kept sealed. What cannot be reached
safely is refused before it is kept; pure.
"""

from __future__ import annotations

import re
from typing import Annotated, Final, Literal, NamedTuple
from urllib.parse import urlsplit

from msgspec import Meta, Struct

from shopward.errors import InvalidField
from shopward.outbox.letters import MAIL_LANGUAGES, MAILED
from shopward.outbox.topics import Topic
from shopward.values import DAY_MS, stays_private, to_rfc3339

ENDPOINTS_MAX: Final = 20
URL_MAX: Final = 2_048
OLD_SECRET_MS: Final = DAY_MS
"""How long a replaced secret goes on signing beside the new one."""
STATES: Final = ("pending", "delivered", "failed")

EndpointState = Literal["active", "off"]


_MAILTO: Final = re.compile(
    r"mailto:([A-Za-z0-9._+-]{1,64}@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*)(?:\?content-language=([a-z]{2}))?"
)


class Mailbox(NamedTuple):
    """Where a mail goes, and in which language."""

    address: str
    language: str


class WebhookAsked(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What ``POST /v1/webhooks`` takes.

    Attributes:
        url: where to; https, or http on this machine, or ``mailto:name@host``, with ``?content-language=id`` where mail
            is wanted in another language than English.
        topics: of what; of everything where left out.
    """

    url: Annotated[str, Meta(min_length=1, max_length=URL_MAX)]
    topics: Annotated[list[Topic], Meta(max_length=len(Topic))] = []


class ReplayAsked(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What ``/replay`` takes: nothing. Failed messages of the last 30 days are tried again."""


class Endpoint(Struct, frozen=True, kw_only=True):
    """An endpoint as it is kept, without its secrets.

    Attributes:
        why: it is off: ``gone`` (it said so) or ``failing`` (it took nothing for days).
        failing_since_ms: since when nothing was taken; 0 where the last try was.
    """

    id: str
    url: str
    topics: tuple[str, ...]
    state: EndpointState
    why: str
    created_ms: int
    failing_since_ms: int
    last_code: str
    last_ms: int
    old_until_ms: int


class Backlog(Struct, frozen=True):
    """What an endpoint has not taken: how many wait, how many were given up, and when the next try is due."""

    pending: int = 0
    failed: int = 0
    next_ms: int = 0


class WebhookView(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An endpoint as the API shows it; moments that are not set are left out.

    Attributes:
        why: it is off: ``gone`` or ``failing``.
        last_code: what came of the newest try: ``http_`` and the status, ``mail_taken``, or ``timeout``, ``tls``, ...
        old_secret_until: until when the replaced secret signs too.
        secret: when it was made, and never again.
    """

    id: str
    url: str
    topics: tuple[str, ...]
    state: EndpointState
    why: str = ""
    created_at: str
    failing_since: str = ""
    last_code: str = ""
    last_at: str = ""
    next_try_at: str = ""
    pending: int = 0
    failed: int = 0
    old_secret_until: str = ""
    secret: str = ""


class Delivery(Struct, frozen=True, kw_only=True):
    """One message to one endpoint."""

    message_id: str
    topic: str
    subject: str
    state: str
    tries: int
    due_ms: int
    last_code: str
    last_ms: int


class DeliveryView(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A delivery as the API shows it."""

    message_id: str
    topic: str
    subject: str
    state: str
    tries: int
    last_code: str = ""
    last_at: str = ""
    next_try_at: str = ""


def view(endpoint: Endpoint, backlog: Backlog, *, at_ms: int, secret: str = "") -> WebhookView:
    """An endpoint for the API."""
    old_until_ms = endpoint.old_until_ms
    return WebhookView(
        id=endpoint.id,
        url=endpoint.url,
        topics=endpoint.topics,
        state=endpoint.state,
        why=endpoint.why,
        created_at=to_rfc3339(endpoint.created_ms),
        failing_since=_moment(endpoint.failing_since_ms),
        last_code=endpoint.last_code,
        last_at=_moment(endpoint.last_ms),
        next_try_at=_moment(backlog.next_ms),
        pending=backlog.pending,
        failed=backlog.failed,
        old_secret_until=_moment(old_until_ms if old_until_ms > at_ms else 0),
        secret=secret,
    )


def delivery_view(delivery: Delivery) -> DeliveryView:
    """A delivery for the API."""
    return DeliveryView(
        message_id=delivery.message_id,
        topic=delivery.topic,
        subject=delivery.subject,
        state=delivery.state,
        tries=delivery.tries,
        last_code=delivery.last_code,
        last_at=_moment(delivery.last_ms),
        next_try_at=_moment(delivery.due_ms if delivery.state == "pending" else 0),
    )


def mailbox_of(url: str) -> Mailbox | None:
    """The mailbox that a URL names; ``None`` where it is no ``mailto:`` of ours."""
    found = _MAILTO.fullmatch(url)
    language = "en" if found is None else found[2] or "en"
    return None if found is None or language not in MAIL_LANGUAGES else Mailbox(found[1], language)


def topics_of(asked: WebhookAsked) -> tuple[str, ...]:
    """What an endpoint hears; raises ``InvalidField`` for a mailbox that would hear what is not written for people."""
    topics = tuple(dict.fromkeys(topic.value for topic in asked.topics))
    if mailbox_of(asked.url) is None:
        return topics
    unwritten = set(topics) - set(MAILED)
    if unwritten:
        raise InvalidField(
            "no mail is written of this", code="webhook_url", path="topics", expected=", ".join(MAILED),
            found=", ".join(sorted(unwritten)),
        )  # fmt: skip
    return topics or tuple(topic.value for topic in MAILED)


def check_url(url: str, *, has_mail: bool) -> None:
    """Refuse what must not be called; raises ``InvalidField``, which repeats nothing of the URL. Fails closed."""
    if url.startswith("mailto:"):
        if mailbox_of(url) is None:
            raise _refused("mailto:name@host, and ?content-language=id, zh or en at most")
        if not has_mail:
            raise _refused("a server with smtp_url and mail_from, or another URL")
        return
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise _refused("a URL that can be read") from None
    if not (url.isascii() and url.isprintable()) or " " in url or "\\" in url:
        raise _refused("a URL in ASCII without spaces")
    if not host or port == 0 or parts.fragment or "@" in parts.netloc:
        raise _refused("a URL with a host, without user name, password and fragment")
    if not stays_private(parts.scheme, host):
        raise _refused("https, or http on 127.0.0.1, [::1] or localhost")


def _refused(expected: str) -> InvalidField:
    return InvalidField(
        "this URL cannot be told anything", code="webhook_url", path="url", expected=expected,
        found="another one",
    )  # fmt: skip


def _moment(at_ms: int) -> str:
    return to_rfc3339(at_ms) if at_ms else ""
