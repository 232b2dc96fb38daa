"""The desks of training, put together over the store of the desks and the vault."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from shopward.flows.exercise import ExerciseDesk
from shopward.flows.training import TrainingDesk
from shopward.service.desks import TENANT
from shopward.service.mail import postmen_of
from shopward.training import courses_of
from shopward.training.exercise_store import ExerciseStore
from shopward.training.store import TrainingStore

if TYPE_CHECKING:
    from shopward.config import Settings
    from shopward.service.desks import Desks
    from shopward.service.vault import Vault
    from shopward.values import Clock, IdSource


def training_desks(
    settings: Settings, desks: Desks, vault: Vault, clock: Clock, ids: IdSource
) -> tuple[TrainingDesk, ExerciseDesk]:
    """The register, and exercises."""
    domains = frozenset(filter(None, map(str.strip, settings.staff_domains.lower().split(","))))
    return (
        TrainingDesk(
            records=desks.records, store=TrainingStore(TENANT), courses=courses_of(settings.trained_purposes),
            trail=desks.trail, clock=clock, ids=ids,
        ),
        ExerciseDesk(
            room=vault.room, store=ExerciseStore(TENANT), postman=postmen_of(settings, desks.records, clock).get("email"),
            page_url=settings.page_url, domains=domains, shop=settings.shop_name, entropy=secrets.token_bytes,
        ),
    )  # fmt: skip
