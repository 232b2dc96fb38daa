"""Consents as values: append-only lines, of which the newest counts.

Promise: pure; a line is never changed, so that what a customer agreed to, when and how can be shown later.
"""

from __future__ import annotations

from typing import Final, Literal, NamedTuple

ConsentState = Literal["given", "withdrawn"]
How = Literal["web", "app", "phone", "paper", "shop"]
HISTORY_MAX: Final = 1_000
"""Lines of one customer and purpose."""


class Consent(NamedTuple):
    """A line.

    Attributes:
        subject: keyed token of the customer.
        purpose: the name of an activity.
        number: from 1, without gaps, for each customer and purpose.
        text_version: of the words that were agreed to or withdrawn from.
        how: where it was said; ``shop`` for a member of staff who was told.
        person: whose key wrote it down.
    """

    subject: str
    purpose: str
    number: int
    state: ConsentState
    text_version: str
    how: How
    person: str
    at_ms: int
