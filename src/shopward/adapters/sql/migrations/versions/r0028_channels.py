"""Mailings by incident; several routes to somebody, and the receipts of channels."""

from __future__ import annotations

import json

import sqlalchemy as sa
from alembic import op

revision = "0028_channels"
down_revision = "0027_complaints"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns; a mailing's incident stands in its body already."""
    op.add_column("notice_mailing", sa.Column("incident", sa.String(64), nullable=False, server_default=""))
    op.add_column("notice_recipient", sa.Column("route", sa.Integer, nullable=False, server_default="0"))
    op.add_column("notice_recipient", sa.Column("receipt", sa.String(128), nullable=False, server_default=""))
    mailing = sa.table("notice_mailing", *(sa.column(name) for name in ("tenant", "id", "body", "incident")))
    for tenant, name, body in (
        op.get_bind().execute(sa.select(mailing.c.tenant, mailing.c.id, mailing.c.body)).all()
    ):
        op.execute(
            mailing.update()
            .where(mailing.c.tenant == tenant, mailing.c.id == name)
            .values(incident=json.loads(body)["incident"])
        )
    op.create_index("ix_notice_mailing_incident", "notice_mailing", ["tenant", "incident", "id"])
    op.create_index("ix_notice_recipient_receipt", "notice_recipient", ["tenant", "receipt"])
