"""Rows of campaigns and findings.

Promise: every call runs in the caller's transaction and neither begins nor commits one. What the machine writes and what
people wrote are different columns, so that neither overwrites the other.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import delete, func, insert, select, update

from shopward.findings.rows import CampaignRow, FindingRow
from shopward.findings.tables import campaign_member, campaign_record, finding_record

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy import Connection

CHUNK: Final = 500


class FindingStore:
    """The rows of one tenant; holds no connection and may be shared by threads.

    Args:
        tenant: leads every key.
    """

    def __init__(self, tenant: str) -> None:
        self._tenant = tenant

    def put_campaign(self, connection: Connection, campaign_id: str, *, state: str, body: str) -> CampaignRow:
        """Write a campaign as it stands; the row as it was before, a new one where there was none."""
        row = self.campaign(connection, campaign_id)
        if row is None:
            row = CampaignRow(campaign_id, state, body)
            connection.execute(insert(campaign_record), {"tenant": self._tenant, **row._asdict()})
        else:
            self._update(connection, campaign_id, state=state, body=body)
        return row

    def told(self, connection: Connection, campaign_id: str, *, accounts: int, at_ms: int) -> None:
        """Note that the shop was told."""
        self._update(connection, campaign_id, told=accounts, told_ms=at_ms)

    def acknowledge(self, connection: Connection, campaign_id: str, *, person: str, at_ms: int) -> None:
        """Note who looks after a campaign."""
        self._update(connection, campaign_id, acknowledged_by=person, acknowledged_ms=at_ms)

    def escalate(self, connection: Connection, row: CampaignRow, *, at_ms: int) -> bool:
        """Note that a campaign is told again; false where somebody acknowledged or escalated it meanwhile."""
        table = campaign_record.c
        done = connection.execute(
            update(campaign_record)
            .where(
                table.tenant == self._tenant,
                table.id == row.id,
                table.acknowledged_ms == row.acknowledged_ms,
                table.escalations == row.escalations,
            )
            .values(escalations=row.escalations + 1, told_ms=at_ms)
        )
        return bool(done.rowcount)

    def put_members(self, connection: Connection, campaign_id: str, bodies: Mapping[str, str | None]) -> None:
        """Write members by their tokens; ``None`` for one that left."""
        mine = (campaign_member.c.tenant == self._tenant) & (campaign_member.c.campaign == campaign_id)
        tokens = list(bodies)
        for start in range(0, len(tokens), CHUNK):
            part = tokens[start : start + CHUNK]
            connection.execute(delete(campaign_member).where(mine, campaign_member.c.user_token.in_(part)))
            rows = [
                {"tenant": self._tenant, "campaign": campaign_id, "user_token": token, "body": body}
                for token in part
                if (body := bodies[token]) is not None
            ]
            if rows:
                connection.execute(insert(campaign_member), rows)

    def drop_members(self, connection: Connection, campaign_id: str) -> None:
        """Forget the members of a campaign that another has taken over."""
        table = campaign_member.c
        mine = (table.tenant == self._tenant) & (table.campaign == campaign_id)
        connection.execute(delete(campaign_member).where(mine))

    def known(self, connection: Connection, finding_ids: Sequence[str]) -> set[str]:
        """Which of these findings are recorded."""
        table, found = finding_record.c, set[str]()
        for start in range(0, len(finding_ids), CHUNK):
            part = finding_ids[start : start + CHUNK]
            found |= set(
                connection.scalars(select(table.id).where(table.tenant == self._tenant, table.id.in_(part)))
            )
        return found

    def add_findings(self, connection: Connection, rows: Sequence[FindingRow]) -> None:
        """Write findings that are not there yet."""
        if rows:
            connection.execute(
                insert(finding_record), [{"tenant": self._tenant, **row._asdict()} for row in rows]
            )

    def told_since(self, connection: Connection, since_ms: int) -> tuple[int, int]:
        """Of how many campaigns and of how many findings the shop was told since then."""
        campaigns, findings = (
            int(
                connection.scalar(
                    select(func.count())
                    .select_from(table)
                    .where(table.c.tenant == self._tenant, table.c.told_ms > since_ms)
                )
                or 0
            )
            for table in (campaign_record, finding_record)
        )
        return campaigns, findings

    def campaign(self, connection: Connection, campaign_id: str) -> CampaignRow | None:
        """One campaign."""
        row = connection.execute(self._campaigns().where(campaign_record.c.id == campaign_id)).one_or_none()
        return None if row is None else CampaignRow(*row)

    def campaigns(
        self, connection: Connection, *, state: str | None, before: str | None, limit: int
    ) -> list[CampaignRow]:
        """Campaigns, newest first."""
        query = self._campaigns().order_by(campaign_record.c.id.desc()).limit(limit)
        if state is not None:
            query = query.where(campaign_record.c.state == state)
        if before is not None:
            query = query.where(campaign_record.c.id < before)
        return [CampaignRow(*row) for row in connection.execute(query)]

    def live(self, connection: Connection) -> list[CampaignRow]:
        """All campaigns that are recorded as live."""
        query = self._campaigns().where(campaign_record.c.state == "live")
        return [CampaignRow(*row) for row in connection.execute(query)]

    def live_of(self, connection: Connection, token: str) -> list[tuple[str, str, str]]:
        """The live campaigns of which a user is a member: id, body, and the body of the membership."""
        member, campaign = campaign_member.c, campaign_record.c
        query = (
            select(campaign.id, campaign.body, member.body)
            .join(
                campaign_member,
                (member.tenant == campaign.tenant) & (member.campaign == campaign.id) & (member.user_token == token),
            )
            .where(campaign.tenant == self._tenant, campaign.state == "live")
            .order_by(campaign.id.desc())
        )  # fmt: skip
        return [(str(each), str(body), str(of)) for each, body, of in connection.execute(query)]

    def members(
        self, connection: Connection, campaign_id: str, *, after: str, limit: int
    ) -> list[tuple[str, str]]:
        """Members in the order of their tokens, as token and body."""
        table = campaign_member.c
        query = (
            select(table.user_token, table.body)
            .where(table.tenant == self._tenant, table.campaign == campaign_id, table.user_token > after)
            .order_by(table.user_token)
            .limit(limit)
        )
        return [(token, body) for token, body in connection.execute(query)]

    def finding(self, connection: Connection, finding_id: str) -> FindingRow | None:
        """One finding."""
        row = connection.execute(self._findings().where(finding_record.c.id == finding_id)).one_or_none()
        return None if row is None else FindingRow(*row)

    def findings(
        self,
        connection: Connection,
        *,
        state: str | None,
        before: FindingRow | None,
        limit: int,
        campaign: str | None = None,
    ) -> list[FindingRow]:
        """Findings, newest first, older than ``before``; of one campaign where it is named."""
        at, name = finding_record.c.found_ms, finding_record.c.id
        query = self._findings().order_by(at.desc(), name.desc()).limit(limit)
        if state is not None:
            query = query.where(finding_record.c.state == state)
        if campaign is not None:
            query = query.where(finding_record.c.campaign == campaign)
        if before is not None:
            query = query.where((at < before.found_ms) | ((at == before.found_ms) & (name < before.id)))
        return [FindingRow(*row) for row in connection.execute(query)]

    def unsettled_of(self, connection: Connection, token: str, *, limit: int) -> list[FindingRow]:
        """Findings about a user that are open or looked at, newest first; it reads those of everybody alone that are so."""
        table = finding_record.c
        query = self._findings().where(table.state.in_(("open", "acknowledged")), table.user_token == token)
        return [
            FindingRow(*row) for row in connection.execute(query.order_by(table.found_ms.desc()).limit(limit))
        ]

    def settle(self, connection: Connection, finding_id: str, *, state: str, person: str, at_ms: int) -> None:
        """Note what a person says became of a finding."""
        connection.execute(
            update(finding_record)
            .where(finding_record.c.tenant == self._tenant, finding_record.c.id == finding_id)
            .values(state=state, changed_by=person, changed_ms=at_ms)
        )

    def open_findings(self, connection: Connection) -> int:
        """How many findings nobody has looked at."""
        table = finding_record.c
        query = select(func.count()).where(table.tenant == self._tenant, table.state == "open")
        return int(connection.scalar(query) or 0)

    def _campaigns(self) -> Any:
        columns = [campaign_record.c[name] for name in CampaignRow._fields]
        return select(*columns).where(campaign_record.c.tenant == self._tenant)

    def _findings(self) -> Any:
        columns = [finding_record.c[name] for name in FindingRow._fields]
        return select(*columns).where(finding_record.c.tenant == self._tenant)

    def _update(self, connection: Connection, campaign_id: str, **values: Any) -> None:
        connection.execute(
            update(campaign_record)
            .where(campaign_record.c.tenant == self._tenant, campaign_record.c.id == campaign_id)
            .values(**values)
        )
