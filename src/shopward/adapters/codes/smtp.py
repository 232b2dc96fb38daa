"""Codes by e-mail, over SMTP (RFC 5321) with TLS.

Promise: beyond loopback a code leaves this machine under TLS or not at all: ``smtps`` speaks TLS from the first byte,
``smtp`` demands STARTTLS before anything is said, and certificates are checked. One connection a message, bounded in
time. What the server answers is not repeated: it may quote the address.

It runs in the thread of its caller and may be called from many. It does not queue: a code is worth ten minutes, and who
waits for it is told at once when it could not be sent.
"""

from __future__ import annotations

import smtplib
import ssl
from datetime import UTC, datetime
from email.message import EmailMessage
from email.utils import format_datetime, make_msgid
from typing import TYPE_CHECKING, Final, NamedTuple
from urllib.parse import unquote, urlsplit

from shopward.errors import Misconfigured
from shopward.stepup.code_channel import ChannelDown
from shopward.values import is_loopback

if TYPE_CHECKING:
    from shopward.stepup.code_channel import CodeMessage
    from shopward.values import Clock

TIMEOUT_S: Final = 15.0
_PORTS: Final = {"smtp": 587, "smtps": 465}


class MailRoute(NamedTuple):
    """Where mail is handed in, and as whom."""

    host: str
    port: int
    is_tls: bool
    user: str
    password: str

    def __repr__(self) -> str:
        """Without the password."""
        return f"MailRoute(host={self.host!r}, port={self.port})"


def mail_route(url: str) -> MailRoute:
    """A URL such as ``smtp://user:password@mail.example:587`` taken apart.

    Raises:
        Misconfigured: it is none; the message repeats nothing of it.
    """
    try:
        parts = urlsplit(url)
        port = parts.port or _PORTS.get(parts.scheme, 0)
    except ValueError:
        parts, port = urlsplit(""), 0
    if parts.scheme not in _PORTS or not parts.hostname or not port or parts.path not in ("", "/"):
        raise Misconfigured(
            "the mail server cannot be read", path="smtp_url",
            expected="smtps://user:password@host:465 or smtp://user:password@host:587", found="another text",
            hint="write @ and : inside the password as %40 and %3A",
        )  # fmt: skip
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    return MailRoute(parts.hostname, port, parts.scheme == "smtps", user, password)


class SmtpChannel:
    """Hands codes to a mail server.

    Args:
        route: to it.
        sender: the address that mail comes from.
        clock: dates the mail.
        domain: of the shop, for the mail's id.
    """

    carries: frozenset[str] = frozenset({"email"})

    def __init__(self, route: MailRoute, *, sender: str, clock: Clock, domain: str) -> None:
        self._route = route
        self._sender = sender
        self._clock = clock
        self._domain = domain
        self._context = ssl.create_default_context()

    def send(self, message: CodeMessage) -> None:
        """Hand the message over, or raise ``ChannelDown``."""
        try:
            mail = self._mail(message)
            with self._connected() as server:
                if self._route.user:
                    server.login(self._route.user, self._route.password)
                server.send_message(mail)
        except (OSError, smtplib.SMTPException, ValueError):  # ValueError: a header that cannot be written
            pass
        else:
            return
        raise ChannelDown(message.channel)

    def _connected(self) -> smtplib.SMTP:
        """A connection on which nothing of the message has been said; under TLS unless it ends on this machine."""
        host, port = self._route.host, self._route.port
        if self._route.is_tls:
            return smtplib.SMTP_SSL(host, port, timeout=TIMEOUT_S, context=self._context)
        server = smtplib.SMTP(host, port, timeout=TIMEOUT_S)
        try:
            server.ehlo()
            if server.has_extn("starttls") or not is_loopback(host):  # fails closed: no TLS, no code
                server.starttls(context=self._context)
                server.ehlo()
        except BaseException:
            server.close()
            raise
        return server

    def _mail(self, message: CodeMessage) -> EmailMessage:
        mail = EmailMessage()
        mail["From"] = self._sender
        mail["To"] = message.to
        mail["Subject"] = message.subject
        mail["Date"] = format_datetime(datetime.fromtimestamp(self._clock.now_ms() / 1000, UTC))
        mail["Message-ID"] = make_msgid(domain=self._domain)
        mail["Content-Language"] = message.language
        mail["Auto-Submitted"] = "auto-generated"  # RFC 3834: nobody answers it with "I am away"
        mail.set_content(message.text)
        return mail
