"""Building an event: the contract's shape from keywords, with the id and the time filled in.

Promise: what is left out is left out of the event; nothing is guessed. An id that is handed over is kept: a retry of the
shop's own (a queue that delivers twice) has to come under the same one.
"""

from __future__ import annotations

import secrets
import time
from datetime import UTC, datetime
from typing import Any


def event(
    type_: str,
    status: str,
    *,
    user: str | None = None,
    id: str | None = None,  # noqa: A002 -- the contract's word
    at: datetime | None = None,
    **parts: Any,
) -> dict[str, Any]:
    """An event.

    Args:
        type_: of the catalogue: ``login``, ``payment``, ...
        status: ``attempted``, ``requested``, ``succeeded`` or ``failed``.
        user: the shop's id of the account; ``None`` where there is none.
        id: of the event, unique for ever; random where left out.
        at: when it happened, with a time zone; now where left out.
        parts: ``context``, ``session``, ``transaction``, ``changes`` and so on, as the contract writes them. A ``user_``
            dictionary adds to the user (``known``, ``registered_at``, ``tokens``).

    Raises:
        ValueError: ``at`` has no time zone.
    """
    if at is not None and at.tzinfo is None:
        raise ValueError("at: expected a time with a zone, found one without")
    moment = datetime.fromtimestamp(time.time(), UTC) if at is None else at.astimezone(UTC)  # noqa: TID251 -- the shop's now
    about = parts.pop("user_", {}) | ({} if user is None else {"id": user})
    made = {
        "id": id or "e-" + secrets.token_hex(16),
        "type": type_,
        "status": status,
        "time": moment.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "user": about,
        **parts,
    }
    return {name: value for name, value in made.items() if value not in (None, {}, [], "")}
