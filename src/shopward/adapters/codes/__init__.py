"""Channels that carry step-up codes: e-mail over SMTP, and a signed call to the shop, which then sends by itself.

Promise: ``channel_of`` picks by the settings alone: SMTP carries e-mail; the shop's own endpoint carries whatever is left.
With neither, no code is ever offered (``NoCodeChannel``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from shopward.adapters.codes.barred import BarredChannel
from shopward.adapters.codes.smtp import SmtpChannel
from shopward.adapters.codes.webhook import WebhookChannel, webhook_key
from shopward.stepup.code_channel import ChannelDown, NoCodeChannel

if TYPE_CHECKING:
    from collections.abc import Mapping

    from shopward.adapters.mail import MailServer
    from shopward.stepup.code_channel import CodeChannel, CodeMessage
    from shopward.values import Clock, IdSource

__all__ = ["BarredChannel", "SmtpChannel", "WebhookChannel", "channel_of", "webhook_key"]


class Channels:
    """Several channels as one.

    Args:
        by_name: who carries what.
    """

    def __init__(self, by_name: Mapping[str, CodeChannel]) -> None:
        self._by_name = dict(by_name)

    @property
    def carries(self) -> frozenset[str]:
        """All of them."""
        return frozenset(self._by_name)

    def send(self, message: CodeMessage) -> None:
        """Hand the message to the one that carries it."""
        channel = self._by_name.get(message.channel)
        if channel is None:
            raise ChannelDown(message.channel)
        channel.send(message)


def channel_of(
    *,
    mail: MailServer | None,
    webhook_url: str,
    webhook_secret: str,
    clock: Clock,
    ids: IdSource,
) -> CodeChannel:
    """The channel of the settings; what is empty is not there.

    Raises:
        Misconfigured: an address or a secret cannot be read, or a code would go out in clear.
    """
    by_name: dict[str, CodeChannel] = {}
    if webhook_url:
        webhook = WebhookChannel(webhook_url, key=webhook_key(webhook_secret), clock=clock, ids=ids)
        by_name |= dict.fromkeys(webhook.carries, webhook)
    if mail is not None:
        by_name["email"] = SmtpChannel(mail)
    return Channels(by_name) if by_name else NoCodeChannel()
