"""Screening: is this link, message, sender or password what it claims to be?

Promise: pure functions over a shop's ``Profile`` and pinned tables; no network and no clock but the caller's. A verdict is
``official``, ``known_good``, ``unknown``, ``suspicious`` or ``dangerous`` (never "safe"), with reasons that say where in the
given text they stand. It fails open: what cannot be judged is ``unknown``, and says so.

- ``profile/``: what the shop says of itself; ``senders``: whose a number, address or account is.
- ``links/``: whose a link is, and whom it imitates.
- ``messages/``: whom a message claims to be and what it asks for; ``passwords/``: whether one may be chosen.
- ``lint``: the shop's own templates under the same checker; ``reports/``: what people reported.
- ``verdict``, ``wording``: the answer, and its texts in Indonesian, Chinese and English.
"""

from shopward.screening.links.check import check_link
from shopward.screening.links.lists import LinkLists, ListEntry
from shopward.screening.messages.check import check_message
from shopward.screening.profile import Profile, load_profile, profile_of
from shopward.screening.senders import check_sender
from shopward.screening.verdict import Finding, Verdict, judged
from shopward.screening.wording import LANGUAGES, Reason, Screened, screened

__all__ = [
    "LANGUAGES",
    "Finding",
    "LinkLists",
    "ListEntry",
    "Profile",
    "Reason",
    "Screened",
    "Verdict",
    "check_link",
    "check_message",
    "check_sender",
    "judged",
    "load_profile",
    "profile_of",
    "screened",
]
