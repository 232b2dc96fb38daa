"""The closed vocabulary of deeds, as ``subject:action`` words.

Promise: a word never changes its meaning and is never renamed, since old lines keep it; new words are added at the
end of their subject, with a row in docs/audit.md (a test holds the two against each other).
"""

from __future__ import annotations

from enum import StrEnum, unique


@unique
class Deed(StrEnum):
    """What somebody did."""

    ORDER_CREATE = "order:create"
    ORDER_SUBMIT = "order:submit"
    ORDER_APPROVE = "order:approve"
    ORDER_REFUSE = "order:refuse"
    ORDER_ACTIVATE = "order:activate"
    ORDER_REVIEW = "order:review"
    ORDER_RELEASE = "order:release"
    ORDER_CANCEL = "order:cancel"
    ORDER_SUPERSEDE = "order:supersede"
    ORDER_EXPIRE = "order:expire"
    HOLD_CREATE = "hold:create"
    HOLD_RELEASE = "hold:release"
    EXCEPTION_CREATE = "exception:create"
    RESET_ORDER = "reset:order"
    REVOKE_ORDER = "revoke:order"
    KEY_CREATE = "key:create"
    KEY_REVOKE = "key:revoke"
    PERSON_CREATE = "person:create"
    PERSON_CHANGE = "person:change"
    CHALLENGE_CREATE = "challenge:create"
    CHALLENGE_PASS = "challenge:pass"  # noqa: S105 -- a word of the vocabulary, no password
    CHALLENGE_FAIL = "challenge:fail"
    CHALLENGE_LOCK = "challenge:lock"
    CHALLENGE_CANCEL = "challenge:cancel"
    FACTOR_ENROL = "factor:enrol"
    FACTOR_REMOVE = "factor:remove"
    IDENTITY_LINK = "identity:link"
    IDENTITY_UNLINK = "identity:unlink"
    SET_CREATE = "set:create"
    SET_SEAL = "set:seal"
    LINKS_TRACE = "links:trace"
    ADVISORY_RECEIVE = "advisory:receive"
    RECOVERY_START = "recovery:start"
    RECOVERY_STEP = "recovery:step"
    RECOVERY_COMPLETE = "recovery:complete"
    RECOVERY_UNDO = "recovery:undo"
    SELF_FREEZE = "self:freeze"
    SELF_UNFREEZE = "self:unfreeze"
    POLICY_LOAD = "policy:load"
    POLICY_PUBLISH = "policy:publish"
    POLICY_ROLLBACK = "policy:rollback"
    PERSONAL_REVEAL = "personal:reveal"
    WEBHOOK_CHANGE = "webhook:change"
    CAMPAIGN_ACKNOWLEDGE = "campaign:acknowledge"
    CAMPAIGN_ESCALATE = "campaign:escalate"
    FINDING_SETTLE = "finding:settle"
    LEDGER_POST = "ledger:post"
    INCIDENT_PASSWORDS_REMEMBER = "incident_passwords:remember"
    PROFILE_PUBLISH = "profile:publish"
    CLAIM_STEP = "claim:step"
    CLAIM_FILE_MANY = "claim:file_many"
    PAYOUT_SETTLE = "payout:settle"
    REPORT_SETTLE = "report:settle"
    INCIDENT_STEP = "incident:step"
    AUDIT_CHECKPOINT = "audit:checkpoint"
