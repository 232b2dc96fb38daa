"""Partners that handle customers' orders: who they are, what they may get, and when they are looked at.

Promise: a partner has an agreement, a scope (which fields for which purpose), duties, a contact and a schedule of audits; a
share gives it some fields of some rows until a moment, sealed to its own key, and ends at once with a suspension. Pure
decisions here; rows are kept by ``store``.

It does not judge whether an agreement is good, nor reach what a partner has already opened.
"""

from shopward.partners.audits import Reminder, due_ms, reminder
from shopward.partners.partner import (
    Agreement,
    AuditPlan,
    Contact,
    Partner,
    PartnerState,
    check_partner,
    end_ms,
)
from shopward.partners.presets import Preset, presets
from shopward.partners.shares import (
    Refusal,
    Share,
    bar_of,
    check_rows,
    check_share,
    open_page,
    refusal_of,
    seal_page,
)

__all__ = [
    "Agreement",
    "AuditPlan",
    "Contact",
    "Partner",
    "PartnerState",
    "Preset",
    "Refusal",
    "Reminder",
    "Share",
    "bar_of",
    "check_partner",
    "check_rows",
    "check_share",
    "due_ms",
    "end_ms",
    "open_page",
    "presets",
    "refusal_of",
    "reminder",
    "seal_page",
]
