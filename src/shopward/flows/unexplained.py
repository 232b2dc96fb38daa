"""Who reads a customer's conversation without looking after it is a finding on that customer, and the shop is told.

Promise: called in the transaction of the reading itself, so that no reading is seen and not told, and none is told that was not
seen. One finding for each reading and customer, however many messages it opened, and each is told once. It stops nothing: the
vault's own purposes, quotas and locks do that (``flows.reveal``); an export for the customer is nobody's reading.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec

from shopward.conversations.conversation import is_explained
from shopward.findings import FindingRow
from shopward.flows.found import finding_view
from shopward.outbox import Topic
from shopward.risk.campaigns.campaign import Finding

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from shopward.conversations.store import ConversationStore
    from shopward.findings.store import FindingStore
    from shopward.flows.arrows import Outbox
    from shopward.vault.rows import Access

SOURCE: Final = "conversation"
"""Of such a finding: what condemned it."""


class ReadingWatch:
    """Holds readings against who looks after a conversation.

    Args:
        conversations: whose messages they may be.
        findings: where they go.
        outbox: what the shop is owed to hear.
    """

    def __init__(self, conversations: ConversationStore, findings: FindingStore, outbox: Outbox) -> None:
        self._conversations, self._findings, self._outbox = conversations, findings, outbox

    def read(self, connection: Any, accesses: Sequence[Access], events: Mapping[str, str]) -> None:
        """Open what findings there are.

        Args:
            connection: of the transaction.
            accesses: one reading of one person, of records that hold messages.
            events: the event of the reading for each customer, by the customer's token.
        """
        told: set[str] = set()
        for access in accesses:
            conversation = self._conversations.of_record(connection, access.record)
            if conversation is None or is_explained(conversation, access.person, access.at_ms):
                continue
            event = events[access.subject]
            if event not in told:
                told.add(event)
                self._tell(connection, access, event, conversation.id)

    def _tell(self, connection: Any, access: Access, event: str, conversation: str) -> None:
        at_ms = access.at_ms
        found = Finding(
            "f-" + event, event, access.subject, at_ms, at_ms, "pii_view", SOURCE, "", 0, 0
        )  # nobody scored it
        body = msgspec.json.encode(finding_view(found)).decode()
        self._findings.add_findings(
            connection, [FindingRow(found.id, found.user, at_ms, "", body, told_ms=at_ms)]
        )
        self._outbox.owe(
            connection, at_ms=at_ms, topic=Topic.FINDING_OPENED, subject=found.id,
            payload={"event_id": event, "type": found.type},
        )  # fmt: skip
        self._outbox.owe(
            connection, at_ms=at_ms, topic=Topic.CONVERSATION_READ_UNEXPLAINED, subject=conversation,
            payload={"person": access.person, "purpose": access.purpose, "finding": found.id},
        )  # fmt: skip
