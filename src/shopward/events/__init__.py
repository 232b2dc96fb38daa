"""Events: what a shop tells us, checked strictly, and split into facts and personal data.

Promise: an event that passes ``decode_event`` has the contract's shape and closed vocabulary; everything else is
refused with the path, what was expected and what was found. ``FactsMaker.make`` turns it into ``Facts``, which hold
keyed tokens instead of anything that names a person. Nothing here decides, stores or reads a clock.
"""

from shopward.events.catalogue import EVENT_TYPES, MONEY_TYPES, STATUSES, Event
from shopward.events.facts import FACT_FIELDS, Facts, FactsMaker
from shopward.events.intake import EventLimits, canonical_bytes, decode_event, split_lines
from shopward.events.tokens import Tokeniser

__all__ = [
    "EVENT_TYPES",
    "FACT_FIELDS",
    "MONEY_TYPES",
    "STATUSES",
    "Event",
    "EventLimits",
    "Facts",
    "FactsMaker",
    "Tokeniser",
    "canonical_bytes",
    "decode_event",
    "split_lines",
]
