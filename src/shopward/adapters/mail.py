"""Mail: one message handed to a mail server over SMTP (RFC 5321) with TLS; and ``ports.Messenger`` to a mailbox.

Promise: beyond loopback nothing leaves this machine but under TLS: ``smtps`` speaks TLS from the first byte, ``smtp``
demands STARTTLS before anything is said, and certificates are checked. One connection a message, bounded in time. What the
server answers is not repeated: it may quote the address.

It runs in the thread of its caller and may be called from many. It does not queue: who owes a message keeps it.
"""

from __future__ import annotations

import asyncio
import smtplib
import ssl
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from email.message import EmailMessage
from email.utils import format_datetime, make_msgid
from typing import TYPE_CHECKING, Final, NamedTuple
from urllib.parse import unquote

from shopward.errors import Misconfigured
from shopward.outbox.endpoints import mailbox_of
from shopward.outbox.schedule import MAIL_TAKEN
from shopward.values import is_loopback, url_parts

if TYPE_CHECKING:
    from collections.abc import Callable

    from shopward.outbox.letters import Letter
    from shopward.ports import Messenger
    from shopward.values import Clock

TIMEOUT_S: Final = 15.0
MAILS_MAX: Final = 4
"""So many mails are handed in at once."""
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
    parts = url_parts(url)
    port = parts.port or _PORTS.get(parts.scheme, 0)
    if parts.scheme not in _PORTS or not parts.hostname or not port or parts.path not in ("", "/"):
        raise Misconfigured(
            "the mail server cannot be read", path="smtp_url",
            expected="smtps://user:password@host:465 or smtp://user:password@host:587", found="another text",
            hint="write @ and : inside the password as %40 and %3A",
        )  # fmt: skip
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    return MailRoute(parts.hostname, port, parts.scheme == "smtps", user, password)


class Mail(NamedTuple):
    """One message to one mailbox; ``id`` where it may be sent again, so that it is known as the same."""

    to: str
    subject: str
    text: str
    language: str
    id: str = ""


class MailServer:
    """Takes mail.

    Args:
        route: to it.
        sender: the address that mail comes from.
        clock: dates the mail.
        domain: of the shop, for the mail's id.
        timeout_s: for each step of the conversation.
    """

    def __init__(
        self, route: MailRoute, *, sender: str, clock: Clock, domain: str, timeout_s: float = TIMEOUT_S
    ) -> None:
        self._route = route
        self._sender = sender
        self._clock = clock
        self._domain = domain
        self._timeout_s = timeout_s
        self._context = ssl.create_default_context()

    def hand_in(self, mail: Mail) -> None:
        """Hand it over; raises ``OSError``, ``SMTPException``, or ``ValueError`` for a header that cannot be written."""
        message = self._message(mail)
        with self._connected() as server:
            if self._route.user:
                server.login(self._route.user, self._route.password)
            # Not to whom the header names: decoded, one address may be two.
            server.send_message(message, to_addrs=[mail.to])

    def _connected(self) -> smtplib.SMTP:
        """A connection on which nothing of the message has been said; under TLS unless it ends on this machine."""
        host, port = self._route.host, self._route.port
        if self._route.is_tls:
            return smtplib.SMTP_SSL(host, port, timeout=self._timeout_s, context=self._context)
        server = smtplib.SMTP(host, port, timeout=self._timeout_s)
        try:
            server.ehlo()
            if server.has_extn("starttls") or not is_loopback(host):  # fails closed: no TLS, no mail
                server.starttls(context=self._context)
                server.ehlo()
        except BaseException:
            server.close()
            raise
        return server

    def _message(self, mail: Mail) -> EmailMessage:
        message = EmailMessage()
        message["From"] = self._sender
        message["To"] = mail.to
        message["Subject"] = mail.subject
        message["Date"] = format_datetime(datetime.fromtimestamp(self._clock.now_ms() / 1000, UTC))
        message["Message-ID"] = f"<{mail.id}@{self._domain}>" if mail.id else make_msgid(domain=self._domain)
        message["Content-Language"] = mail.language
        message["Auto-Submitted"] = "auto-generated"  # RFC 3834: nobody answers it with "I am away"
        message.set_content(mail.text)
        return message


class MailMessenger:
    """Carries messages to ``mailto:`` and all others by another messenger; for one event loop.

    Args:
        server: takes mail; ``None`` where none is set, and then nothing is carried to a mailbox.
        write: what a message says, in a language.
        others: carries to every other URL.
    """

    def __init__(
        self, server: MailServer | None, write: Callable[[bytes, str], Letter], others: Messenger
    ) -> None:
        self._server = server
        self._write = write
        self._others = others
        self._threads = ThreadPoolExecutor(MAILS_MAX, "shopward-mail")

    async def carry(self, url: str, headers: dict[str, str], body: bytes) -> str:
        """``mail_taken``, or ``no_mail_server``, ``mail_refused``, ``tls``, ``timeout``, ``no_connection``."""
        mailbox = mailbox_of(url)
        if mailbox is None:
            return await self._others.carry(url, headers, body)
        if self._server is None:
            return "no_mail_server"
        letter = self._write(body, mailbox.language)
        mail = Mail(mailbox.address, letter.subject, letter.text, mailbox.language, headers["webhook-id"])
        return await asyncio.get_running_loop().run_in_executor(self._threads, _outcome, self._server, mail)


def _outcome(server: MailServer, mail: Mail) -> str:
    try:
        server.hand_in(mail)
    except TimeoutError:
        return "timeout"
    except ssl.SSLError:
        return "tls"
    except (
        smtplib.SMTPResponseException,
        smtplib.SMTPRecipientsRefused,
        smtplib.SMTPNotSupportedError,
        ValueError,
    ):
        return "mail_refused"
    except (OSError, smtplib.SMTPException):
        return "no_connection"
    return MAIL_TAKEN
