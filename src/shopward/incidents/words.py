"""The closed words of incidents and playbooks.

Promise: a word never changes its meaning, since records keep it.
"""

from __future__ import annotations

from typing import Annotated, Final, Literal, get_args

from msgspec import Meta

Kind = Literal[
    "credential_stuffing", "account_takeover", "data_leak", "partner_leak", "insider", "payment_fraud", "gift_card_fraud",
    "linked_identity_breach", "messaging_account_hijacked", "malware", "other",
]  # fmt: skip
Role = Literal["analyst", "data_protection_officer", "counsel", "customer_service"]
ROLES: Final[tuple[Role, ...]] = get_args(Role)
Text = Annotated[str, Meta(min_length=1, max_length=4_000)]
Short = Annotated[str, Meta(min_length=1, max_length=200)]
