"""Codes by e-mail.

Promise: a code leaves this machine under TLS or not at all (``adapters.mail``). It does not queue: a code is worth ten
minutes, and who waits for it is told at once when it could not be sent.
"""

from __future__ import annotations

import smtplib
from typing import TYPE_CHECKING

from shopward.adapters.mail import Mail
from shopward.stepup.code_channel import ChannelDown

if TYPE_CHECKING:
    from shopward.adapters.mail import MailServer
    from shopward.stepup.code_channel import CodeMessage


class SmtpChannel:
    """Hands codes to a mail server.

    Args:
        server: takes mail.
    """

    carries: frozenset[str] = frozenset({"email"})

    def __init__(self, server: MailServer) -> None:
        self._server = server

    def send(self, message: CodeMessage) -> None:
        """Hand the message over, or raise ``ChannelDown``."""
        try:
            self._server.hand_in(Mail(message.to, message.subject, message.text, message.language))
        except (OSError, smtplib.SMTPException, ValueError):  # ValueError: a header that cannot be written
            pass
        else:
            return
        raise ChannelDown(message.channel)
