"""Bodies: read whole, bounded in bytes and in time, whatever the client does.

Promise: no more than the limit is held; a body that is announced too large is refused before it is read; one that does
not come in time is a 408; a client that goes away leaves nothing behind. The bytes of all bodies under way are counted
and bounded together, so that many honest batches cannot fill the memory either.
"""

from __future__ import annotations

import asyncio
from inspect import iscoroutine
from typing import TYPE_CHECKING, Any

from shopward.errors import InputTooLarge
from shopward.http.problems import HttpRefusal

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, MutableMapping

    from shopward.config import Settings

    Message = MutableMapping[str, Any]
    Receive = Callable[[], Awaitable[Message]]


class ClientGone(Exception):
    """The client closed the connection before its body was complete."""


class _Deadline:
    """Cancels the task that made it when the time is over; what ``asyncio.timeout`` does at four times the cost."""

    def __init__(self, timeout_s: float) -> None:
        self._task = asyncio.current_task()
        self._passed = False
        self._handle = asyncio.get_running_loop().call_later(timeout_s, self._pass)

    def has_passed(self) -> bool:
        """Whether the task was cancelled for it, and by nobody else; the cancellation is then taken back."""
        return self._passed and self._task is not None and self._task.uncancel() == 0

    def end(self) -> None:
        """The body is there."""
        self._handle.cancel()

    def _pass(self) -> None:
        if self._task is not None:
            self._passed = self._task.cancel()


class Bodies:
    """Reads bodies within the settings' limits.

    Args:
        settings: limits on bytes and time.
    """

    def __init__(self, settings: Settings) -> None:
        self._timeout_s = settings.read_timeout_s
        self._inflight_max = settings.inflight_bytes_max
        self.inflight = 0

    async def read(self, receive: Receive, announced: bytes | None, limit: int) -> bytes:
        """The whole body; the caller gives its length back with ``release``.

        Raises:
            InputTooLarge: more than ``limit`` bytes are announced or come.
            HttpRefusal: it does not come in time (408), or too much is under way (503).
            ClientGone: the client left.
        """
        if announced is not None and announced.isdigit() and int(announced[:18]) > limit:
            raise too_large(limit)
        message = _here_already(receive)
        if message is not None and not message.get("more_body", False):
            part, _more = _part(message, 0, limit)
            self._take(len(part))
            return part
        return await self._awaited(message, receive, limit)

    async def _awaited(self, message: Message | None, receive: Receive, limit: int) -> bytes:
        """The rest of a body that has not come whole, in time; ``message`` is its first part, where that is here."""
        parts: list[bytes] = []
        held = 0
        deadline = _Deadline(self._timeout_s)
        try:
            more = True
            while more:
                message = message or await receive()
                part, more = _part(message, held, limit)
                message = None
                self._take(len(part))
                held += len(part)
                parts.append(part)
        except BaseException:
            self.release(held)
            if deadline.has_passed():
                raise HttpRefusal(
                    408,
                    "request_timeout",
                    "the body did not come in time",
                    expected=f"a whole body within {self._timeout_s:g} s",
                ) from None
            raise
        finally:
            deadline.end()
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def has_room(self, length: int) -> bool:
        """Whether so many more bytes may be held."""
        return self.inflight + length <= self._inflight_max

    def release(self, length: int) -> None:
        """So many bytes are no longer held."""
        self.inflight -= length

    def _take(self, length: int) -> None:
        if not self.has_room(length):
            raise HttpRefusal(503, "overloaded", "too many bytes are under way", retry_after_s=1.0)
        self.inflight += length


def _here_already(receive: Receive) -> Message | None:
    """The next message where nobody has to be waited for; a deadline for each body that came whole cost 4 us.

    A wait that has begun is given up before anything came of it, so that the next call of ``receive`` hears the message.
    """
    asked = receive()
    if not iscoroutine(asked):
        return None
    try:
        asked.send(None)
    except StopIteration as answered:
        message: Message = answered.value
        return message
    asked.close()
    return None


def _part(message: Message, held: int, limit: int) -> tuple[bytes, bool]:
    """The next bytes, and whether more follow; raises where the client left or the bytes are too many."""
    if message["type"] != "http.request":
        raise ClientGone
    part = message.get("body", b"")
    if held + len(part) > limit:
        raise too_large(limit)
    return part, message.get("more_body", False)


def too_large(limit: int) -> InputTooLarge:
    """The refusal of a body over the limit."""
    return InputTooLarge("the body is too large", expected=f"at most {limit} bytes", found="more")
