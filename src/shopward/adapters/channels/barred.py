"""``ports.Postman`` of a line that may be in other hands: it hands nothing in while the line is condemned.

Promise: asked before each message. A barred line is ``refused`` (``line_condemned``), so that the next way of that person is due at once:
fails closed, since the next message by it could be answered by a thief. Where it cannot be asked, the store's error passes on and the
message stays due.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from shopward.ports import Handed

if TYPE_CHECKING:
    from collections.abc import Callable

    from shopward.ports import Parcel, Postman


class BarredPostman:
    """A postman behind a bar.

    Args:
        postman: hands messages in.
        is_barred: whether nothing goes out by its line now.
    """

    def __init__(self, postman: Postman, is_barred: Callable[[], bool]) -> None:
        self._postman = postman
        self._is_barred = is_barred

    def hand_in(self, parcel: Parcel) -> Handed:
        """One message, where the line speaks for the shop."""
        if self._is_barred():
            return Handed("refused", why="line_condemned")
        return self._postman.hand_in(parcel)
