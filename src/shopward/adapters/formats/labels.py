"""Labels as events of their own, for a stream that carries what a shop would have learnt, when it would have.

Promise: each labelled event is followed by one ``label`` event, at the time that its row gives or ``delay`` later in the
stream's own time, standing where its time belongs; the labels of the stream's last days come at its end. Memory holds
the labels of one delay.

It does not say that the others are genuine: what is not labelled within the delay counts as that where it is learnt.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from heapq import heappop, heappush
from typing import TYPE_CHECKING, Final

from msgspec import UNSET

from shopward.adapters.formats.rows import GENUINE, Imported, Refusal, clipped
from shopward.errors import InvalidField
from shopward.events.catalogue import Event, Label

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

SUFFIX: Final = "-label"


def with_label_events(items: Iterable[Imported | Refusal], *, delay_ms: int) -> Iterator[Imported | Refusal]:
    """The items, with a ``label`` event for each labelled one, ``delay_ms`` after it where its row says no time."""
    delay, pending, number = timedelta(milliseconds=delay_ms), list[tuple[datetime, int, Event]](), 0
    for item in items:
        if isinstance(item, Imported):
            while pending and pending[0][0] <= item.event.time:
                yield Imported(heappop(pending)[2])
        yield item
        if isinstance(item, Imported) and item.label:
            number += 1
            try:
                made = _label_of(item, delay)
            except InvalidField as refused:
                yield Refusal(item.line, refused)
            else:
                heappush(pending, (made.time, number, made))
    while pending:
        yield Imported(heappop(pending)[2])


def _label_of(item: Imported, delay: timedelta) -> Event:
    event = item.event
    try:
        time = item.label_time or event.time.astimezone(UTC) + delay
    except OverflowError:
        raise InvalidField(
            "no time for the label", path="time", expected="a year before 9999", found="a later one"
        ) from None
    if event.user is UNSET or not event.user.id:
        raise InvalidField(
            "a label without user", path="user.id", expected="the labelled event's user", found="nothing"
        )
    return Event(
        id=clipped(event.id + SUFFIX),
        type="label",
        status="genuine" if item.label == GENUINE else "fraud",
        time=time,
        user=event.user,
        label=Label(event_id=event.id),
    )
