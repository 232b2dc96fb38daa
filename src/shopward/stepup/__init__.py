"""Step-up: proving once more that it is you, with a factor that the threat does not own.

Promise: a proof holds for one user, device, operation and decision, within 10 minutes, once; whoever races whom, on
SQLite and PostgreSQL. An excluded factor is never offered and never accepted. What is kept cannot be used by who reads
it: secrets are sealed, codes hashed, users and devices keyed tokens. Every refusal has a stable code.

It does not send anything (``CodeChannel`` is a port), decide when a challenge is due (``risk``, ``protection``), write
the log, or know a customer's address or session. See docs/step-up.md.
"""

from shopward.stepup.asking import (
    cancel_challenge,
    look_at_challenge,
    open_challenge,
    passkey_options,
    send_code,
)
from shopward.stepup.challenges import Challenge, Subject, Verified
from shopward.stepup.code_channel import ChannelDown, CodeChannel, CodeMessage, NoCodeChannel
from shopward.stepup.desk import Desk
from shopward.stepup.enrolment import (
    RECOVERY_CODES,
    Enrolled,
    PasskeyOffer,
    Proof,
    TotpOffer,
    confirm_passkey,
    confirm_totp,
    enrolled,
    new_recovery_codes,
    revoke,
    revoke_by_order,
    start_passkey,
    start_totp,
)
from shopward.stepup.keys import Keys, open_stepup_key
from shopward.stepup.passkeys import RelyingParty
from shopward.stepup.passwords import CHEAP_FOR_TESTS, OWASP_46_MIB, RFC_9106_SECOND, Hasher
from shopward.stepup.proving import spend, verify
from shopward.stepup.refusals import REFUSALS, StepUpRefused
from shopward.stepup.store import Store
from shopward.stepup.tables import metadata
from shopward.stepup.witness import NoWitness, StepUpDeed, Witness

__all__ = [
    "CHEAP_FOR_TESTS",
    "OWASP_46_MIB",
    "RECOVERY_CODES",
    "REFUSALS",
    "RFC_9106_SECOND",
    "Challenge",
    "ChannelDown",
    "CodeChannel",
    "CodeMessage",
    "Desk",
    "Enrolled",
    "Hasher",
    "Keys",
    "NoCodeChannel",
    "NoWitness",
    "PasskeyOffer",
    "Proof",
    "RelyingParty",
    "StepUpDeed",
    "StepUpRefused",
    "Store",
    "Subject",
    "TotpOffer",
    "Verified",
    "Witness",
    "cancel_challenge",
    "confirm_passkey",
    "confirm_totp",
    "enrolled",
    "look_at_challenge",
    "metadata",
    "new_recovery_codes",
    "open_challenge",
    "open_stepup_key",
    "passkey_options",
    "revoke",
    "revoke_by_order",
    "send_code",
    "spend",
    "start_passkey",
    "start_totp",
    "verify",
]
