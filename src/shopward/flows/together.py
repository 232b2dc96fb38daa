"""Many threads ask one by one; what waits is carried out together, in one call.

Promise:
- one group at a time, of at most ``most``; who asks while none is under way is carried out at once, alone;
- whoever asks hears his own answer, or what went wrong with the group that he was in; a later group knows nothing of it;
- a group is carried out by the thread that asked first of it, so nobody works for those who came after his group.

It starts no thread, holds nothing back to make a group larger, and knows nothing of what it carries out. The store's
commit costs the same for one as for many: while one group waits for it, the next one gathers.
"""

from __future__ import annotations

import threading
from collections import deque
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

Asked = TypeVar("Asked")
Heard = TypeVar("Heard")


class _Waiting(Generic[Asked, Heard]):
    """One who asked. Woken once: with an answer, with an error, or with neither, which means to lead the next group."""

    __slots__ = ("answer", "asked", "error", "is_over", "woken")
    answer: Heard

    def __init__(self, asked: Asked) -> None:
        self.asked = asked
        self.error: BaseException | None = None
        self.is_over = False
        self.woken = threading.Event()


class Together(Generic[Asked, Heard]):
    """Carries out together what is asked at the same time; called from any thread.

    Args:
        work: carries out a group; gives an answer for each, in order.
        most: in one group.
    """

    def __init__(self, work: Callable[[Sequence[Asked]], Sequence[Heard]], *, most: int) -> None:
        self._work = work
        self._most = most
        self._turn = threading.Lock()
        self._waiting: deque[_Waiting[Asked, Heard]] = deque()
        self._is_led = False

    def __call__(self, asked: Asked) -> Heard:
        """The answer to this, once the group that it fell into was carried out."""
        mine = _Waiting[Asked, Heard](asked)
        with self._turn:
            self._waiting.append(mine)
            leads, self._is_led = not self._is_led, True
        if not leads:
            mine.woken.wait()
        if not mine.is_over:
            self._lead()
        if mine.error is not None:
            raise mine.error.with_traceback(None)  # one refusal may be heard by many
        return mine.answer

    def _lead(self) -> None:
        """Carry out the group at the head, of which this thread is the first, and hand over to the next one."""
        with self._turn:
            group = [self._waiting.popleft() for _ in range(min(self._most, len(self._waiting)))]
        try:
            answers = self._work([each.asked for each in group])
            for each, answer in zip(group, answers, strict=True):
                each.answer = answer
        except BaseException as error:  # noqa: BLE001 -- heard by the whole group, this thread included
            for each in group:
                each.error = error
        for each in group:
            each.is_over = True
        with self._turn:
            following = self._waiting[0] if self._waiting else None
            self._is_led = following is not None
        if following is not None:
            following.woken.set()
        for each in group:
            each.woken.set()
