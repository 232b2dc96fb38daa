"""What can go wrong between a shop and Shopward, in a closed set of words.

Promise: a fault is a small record that stands beside an answer and is never raised into a shop's page; its ``code`` is
stable; nothing in it quotes what the shop sent or the key. ``FaultLog`` tells each code once a minute, with how often it
came, so that an outage does not fill the disk; that there is no list of stolen passwords, once an hour.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Final

LOG_EVERY_S: Final = 60.0
_SELDOM_S: Final = {"not_screened": 3_600.0}
_logger = logging.getLogger("shopward.client")

FAULTS: Final[dict[str, str]] = {
    "unreachable": "No connection to Shopward; is the server up, and the url right?",
    "timeout": "Shopward did not answer in time.",
    "paused": "Shopward failed several times in a row and is not asked for a moment.",
    "unauthorized": "The key is none of this server's, or lacks the role 'service'.",
    "event_refused": "The server refuses this event; path, expected and found say why.",
    "clock_skew": "The event lies in the server's future: the clocks of shop and server differ.",
    "event_id_reused": "This id was used for another event; an id belongs to one event for ever.",
    "not_captured": "The server did not capture: an order covers it, its time is over, or it is settled.",
    "not_done": "The server was heard and did not do it; the problem says why.",
    "not_proved": "The challenge is not passed by this answer; the problem says why.",
    "not_shown": "The vault does not keep or show it; the problem says why.",
    "not_screened": "No list of stolen passwords answers: passwords pass unlooked at. Set one up on the server.",
    "too_old_server": "The server does not know this call; it is older than this client.",
    "unavailable": "The server cannot record just now.",
    "bad_answer": "What came back is no answer of Shopward's; is a proxy in between?",
}
"""Every fault with what it means and where to look."""


@dataclass(frozen=True)
class Fault:
    """Why there is no answer of the server.

    Attributes:
        code: a word of ``FAULTS``.
        detail: where in the event, what was expected and found, as the server said it; holds no value of the event.
        problem: the server's own code, where it gave one.
        is_ours_to_mend: whether asking again cannot help: the key, the event or the version is wrong.
    """

    code: str
    detail: str = ""
    problem: str = ""

    @property
    def is_ours_to_mend(self) -> bool:
        """Whether the same call will fail again until somebody changes something."""
        return self.code in (
            "unauthorized",
            "event_refused",
            "event_id_reused",
            "clock_skew",
            "too_old_server",
        )

    def __str__(self) -> str:
        return f"{FAULTS[self.code]} {self.detail}".rstrip()


class FaultLog:
    """Tells of faults through ``logging``, each code at most once a minute."""

    def __init__(self) -> None:
        self._told: dict[str, tuple[float, int]] = {}

    def note(self, fault: Fault, *, now_s: float) -> None:
        """Log the fault, or count it for the next time it is logged."""
        last_s, kept = self._told.get(fault.code, (float("-inf"), 0))
        if now_s - last_s < _SELDOM_S.get(fault.code, LOG_EVERY_S):
            self._told[fault.code] = (last_s, kept + 1)
            return
        self._told[fault.code] = (now_s, 0)
        times = f" ({kept} more times since)" if kept else ""
        _logger.warning("shopward: %s: %s%s", fault.code, fault, times)
