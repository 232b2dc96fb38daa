"""What staff, partners and business WhatsApp agents do on an honest day.

Promise: reads follow a caseload, most with a purpose and a case or an order, some without because people are sloppy;
a sale multiplies them. What it does not do: nobody here means harm (see ``attackers.insider``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from shopward.testing.trail import Trail, session_id

if TYPE_CHECKING:
    from random import Random

    from shopward.testing.agenda import Draft, Json
    from shopward.testing.people import Customer, Partner, Worker
    from shopward.testing.world import World


class BackOffice:
    """The shop's own people, and those it shares data with."""

    def __init__(self, world: World, rng: Random) -> None:
        self._world = world
        self._rng = rng

    def trail(self, worker: Worker, at_ms: int, customer: Customer | None) -> Trail:
        """The worker at the desk, or now and then at home."""
        rng = self._rng
        line = worker.desk if rng.random() < 0.85 else worker.home
        actor = {"type": "staff", "id": worker.id}
        return Trail(rng, at_ms, worker.device, line.place(at_ms, rng), customer, actor=actor)

    def read(self, worker: Worker, at_ms: int, customer: Customer | None = None) -> list[Draft]:
        """One case worked on: a customer's data is looked at once or twice."""
        rng = self._rng
        who = customer or self._world.somebody(rng)
        trail = self.trail(worker, at_ms, who)
        access = self.access(worker)
        if rng.random() < 0.03:
            trail.add("pii_search", access={**access, "records": rng.randint(1, 5)})
        trail.add("pii_view", access=access)
        if rng.random() < 0.12:
            trail.wait(20, 300)
            trail.add("pii_view", access=access)
        return trail.drafts

    def access(self, worker: Worker) -> Json:
        """Why the worker looks; sloppy people leave the case out."""
        rng = self._rng
        access: Json = {"purpose": worker.purpose}
        if rng.random() >= worker.sloppy:
            key = "order_id" if worker.purpose == "delivery" else "case_id"
            access[key] = f"{key[0]}-{rng.getrandbits(32):08x}"
        access["records"] = 1
        return access

    def export(self, worker: Worker, at_ms: int) -> list[Draft]:
        """A small, recorded export, such as a week's delivery list."""
        rng = self._rng
        trail = self.trail(worker, at_ms, self._world.somebody(rng))
        case = f"c-{rng.getrandbits(32):08x}"
        records = rng.randint(5, 60)
        trail.add("pii_export", access={"purpose": "delivery", "case_id": case, "records": records})
        return trail.drafts

    def pull(self, partner: Partner, at_ms: int) -> list[Draft]:
        """A partner fetches the orders that it has to ship or settle."""
        rng = self._rng
        place = partner.line.place(at_ms, rng)
        actor = {"type": "partner", "id": partner.id}
        trail = Trail(rng, at_ms, partner.device, place, None, actor=actor)
        trail.add("partner_pull", access={"purpose": partner.purpose, "records": rng.randint(3, 40)})
        return trail.drafts

    def chat(self, agent: Worker, at_ms: int) -> list[Draft]:
        """A customer writes to the shop on WhatsApp, and the agent reads it."""
        trail = self.agent_trail(agent, at_ms)
        for _ in range(self._rng.choice((1, 1, 2, 3))):
            trail.add("message_received", properties={"channel": "whatsapp"})
            trail.wait(10, 200)
        return trail.drafts

    def relink(self, agent: Worker, at_ms: int) -> list[Draft]:
        """An agent links the computer at the desk again: a code asked for and typed there, then the link."""
        trail = self.agent_trail(agent, at_ms)
        trail.add("otp", "requested")
        trail.wait(5, 40)
        trail.add("otp")
        trail.wait(2, 20)
        trail.add("device_link", properties={"channel": "whatsapp"})
        return trail.drafts

    def agent_trail(self, agent: Worker, at_ms: int) -> Trail:
        """The agent at the desk, signed in to the business account."""
        rng = self._rng
        trail = Trail(
            rng, at_ms, agent.device, agent.desk.place(at_ms, rng), self._world.accounts[agent.accounts[0]]
        )
        trail.session = session_id(rng)
        return trail
