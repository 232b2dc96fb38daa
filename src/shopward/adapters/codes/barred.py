"""Codes of a shop whose line may be in other hands: none goes by WhatsApp while a line is condemned.

Promise: asked before a factor is offered and again before a code is sent: fails closed. All other channels go on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from shopward.stepup.code_channel import ChannelDown

if TYPE_CHECKING:
    from collections.abc import Callable

    from shopward.stepup.code_channel import CodeChannel, CodeMessage

_BARRED: Final = frozenset({"whatsapp"})


class BarredChannel:
    """A channel behind a bar.

    Args:
        channel: carries codes.
        is_barred: whether no code goes by WhatsApp now.
    """

    def __init__(self, channel: CodeChannel, is_barred: Callable[[], bool]) -> None:
        self._channel = channel
        self._is_barred = is_barred

    @property
    def carries(self) -> frozenset[str]:
        """What the channel carries, without WhatsApp while it is barred."""
        carries = self._channel.carries
        return carries - _BARRED if carries & _BARRED and self._is_barred() else carries

    def send(self, message: CodeMessage) -> None:
        """Hand the message over, or raise ``ChannelDown``."""
        if message.channel not in self.carries:
            raise ChannelDown(message.channel)
        self._channel.send(message)
