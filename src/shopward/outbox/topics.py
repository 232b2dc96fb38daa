"""The closed vocabulary of what the shop is told, as ``subject.what_happened`` words.

Promise: a word never changes its meaning and is never renamed, since shops branch on it; new ones are added at the end
of their subject with the sentence that says when they are owed, and with a row in docs/webhooks.md (a test holds the
two against each other).
"""

from __future__ import annotations

from enum import StrEnum, unique


@unique
class Topic(StrEnum):
    """What happened. The subject of a message is the id of what it happened to."""

    ORDER_APPROVAL_NEEDED = "order.approval_needed"
    """An order waits for a second person."""
    ORDER_ACTIVATED = "order.activated"
    """An order is in force."""
    ORDER_USERS_RELEASED = "order.users_released"
    """Single users were let out of an order that stays in force for all others."""
    ORDER_RELEASE_REQUESTED = "order.release_requested"
    """The release of an order about many users waits for a second person."""
    ORDER_REVIEW_DUE = "order.review_due"
    """The date of review of an order has passed; it stays in force. Owed once."""
    ORDER_ENDED = "order.ended"
    """An order is no longer in force, or never came into it: expired, cancelled or superseded."""
    FACTOR_ADDED = "factor.added"
    """A factor was added to an account: tell its owner, over a contact from before."""
    FACTOR_REMOVED = "factor.removed"
    """A factor was removed from an account: tell its owner."""
    CHALLENGE_DENIED = "challenge.denied"
    """The owner of an account said that an operation was not theirs."""
    DECISION_ACTIONS = "decision.actions"
    """The policy asked for something beside its decision; what became of it."""
    CONSEQUENCES_HELD_BACK = "consequences.held_back"
    """So many orders were placed by the system within an hour that no more are; owed once an hour."""
    KEY_CREATED = "key.created"
    """A key of the API was made."""
    AUDIT_CHECKPOINT = "audit.checkpoint"
    """The server signed the audit log up to here, once a day; keep it where nobody of this server can change it."""
    WEBHOOK_TEST = "webhook.test"
    """Somebody asked for a test delivery; only that endpoint is told."""
    WEBHOOK_SWITCHED_OFF = "webhook.switched_off"
    """An endpoint took nothing for days, or said that it is gone; the others are told."""
    RECOVERY_STARTED = "recovery.started"
    """An account was frozen by its owner, or by the contact from before a change; the way back is open."""
    RECOVERY_STEPPED = "recovery.stepped"
    """A step of the way back was done."""
    RECOVERY_COMPLETED = "recovery.completed"
    """The way back ended: the owner was let out of the orders whose condition was met."""
    CHANGE_UNDO_ASKED = "change.undo_asked"
    """The owner of an account says that a change was not theirs: take it back."""
    CAMPAIGN_OPENED = "campaign.opened"
    """An attack on many accounts is under way."""
    CAMPAIGN_GREW = "campaign.grew"
    """A campaign has twice the accounts of which the shop was told last."""
    CAMPAIGN_ESCALATED = "campaign.escalated"
    """A live campaign was not acknowledged in time."""
    CAMPAIGN_ENDED = "campaign.ended"
    """A campaign was quiet for its declared time, or another one is its heir."""
    FINDING_OPENED = "finding.opened"
    """An earlier success of a source that was condemned since: look at that account."""
    CLAIM_STEPPED = "claim.stepped"
    """A claim was received, decided, stopped, appealed or taken back."""
    CLAIM_FILED_FOR_VICTIMS = "claim.filed_for_victims"
    """Claims were filed for victims of an incident; the subject is the victim set."""
    PAYOUT_SETTLED = "payout.settled"
    """A payout of a claim was paid, or will not be."""
    REPORT_OPENED = "report.opened"
    """Somebody reported something that no open case gathers yet."""
    INCIDENT_STEPPED = "incident.stepped"
    """An incident was opened, or a step of it was taken."""
