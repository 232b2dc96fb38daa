"""The keys in files that can be renewed, put together over the store of the desks."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from shopward.audit import AUDIT_KEY, SigningKey, statement
from shopward.flows.renew import SealRenewal, SigningRenewal
from shopward.keyring import Generations
from shopward.outbox.registry import WEBHOOK_KEY
from shopward.service.signals_key import SIGNALS_KEY
from shopward.ssf.sealed_rows import START, SealedRows

if TYPE_CHECKING:
    from pathlib import Path

    from shopward.audit import AuditTrail
    from shopward.flows.renew import Renewal
    from shopward.keyring import RenewableSealer
    from shopward.outbox.registry import Endpoints
    from shopward.ports import Fence, Records
    from shopward.values import Clock


def renewals_of(
    folder: Path,
    *,
    tenant: str,
    records: Records,
    fence: Fence,
    trail: AuditTrail,
    endpoints: Endpoints,
    signals: RenewableSealer,
    clock: Clock,
) -> dict[str, Renewal]:
    """By their use."""
    shared = {
        "records": records,
        "fence": fence,
        "trail": trail,
        "entropy": secrets.token_bytes,
        "clock": clock,
    }
    signing = SigningRenewal(
        sign=lambda connection, actor, at_ms: trail.checkpoint(connection, at_ms=at_ms, actor=actor),
        statement=lambda old, new: statement(tenant, SigningKey(old), SigningKey(new)),
        public_of=lambda key: SigningKey(key).public_key, signed=trail.signed_by,
        generations=Generations(folder, AUDIT_KEY), **shared,
    )  # fmt: skip
    webhook = SealRenewal(
        use="webhook",
        reseal=lambda connection, _all: (endpoints.resealed(connection), None),
        needing=endpoints.by_older_keys,
        generations=Generations(folder, WEBHOOK_KEY),
        **shared,
    )
    rows = SealedRows(tenant, signals, secrets.token_bytes)
    told = SealRenewal(
        use="signals", reseal=lambda connection, place: rows.reseal(connection, place or START),
        needing=rows.by_older_keys, generations=Generations(folder, SIGNALS_KEY), **shared,
    )  # fmt: skip
    return {each.use: each for each in (signing, webhook, told)}
