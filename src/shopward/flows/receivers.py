"""Who hears from us: receivers are registered, customers are named to them, our keys are changed.

Promise: a receiver is a partner whose scope holds the purpose ``signals``, and loses everything with the partner; it hears of
customers that the shop named to it and of nobody else. A step and its line in the audit log are one transaction; no subject and
no token stands in a line. The first registration makes our first key.

Not here: what the receiver itself asks for (``flows.streams``), and the telling (``flows.announce``, ``flows.transmit``).
"""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any, Final

import msgspec

from shopward.errors import Conflict, InputTooLarge, InvalidField, NotFound, Refused
from shopward.partners import end_ms
from shopward.ssf.receivers import (
    PURPOSE,
    RECEIVERS_MAX,
    SUBJECT_BYTES_MAX,
    SUPPORTED,
    Receiver,
    ReceiverAsked,
    ReceiverView,
    receiver_view,
)
from shopward.ssf.signing import new_key
from shopward.ssf.subjects import COMPLEX, FORMATS, read_subject
from shopward.ssf.transmitters import digest_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from shopward.access import Caller
    from shopward.flows.arrows import Trail
    from shopward.keyring import BoundSealer
    from shopward.partners.store import PartnerStore
    from shopward.ports import Records
    from shopward.ssf.key_store import KeyStore
    from shopward.ssf.receiver_store import ReceiverStore
    from shopward.values import Clock

TOKEN_BYTES: Final = 32
SUBJECT_DOMAIN: Final = "ssf_subject"


class ReceiverDesk:
    """May be called from any thread.

    Args:
        records: transactions.
        store: rows.
        keys: our keys.
        partners: who is one.
        sealer: closes subjects.
        blind: gives the token of a value in a domain.
        trail: the audit log.
        clock: the server's.
        entropy: makes tokens.
    """

    def __init__(
        self, *, records: Records, store: ReceiverStore, keys: KeyStore, partners: PartnerStore, sealer: BoundSealer,
        blind: Callable[[str, str], str], trail: Trail, clock: Clock, entropy: Callable[[int], bytes],
    ) -> None:  # fmt: skip
        self._records, self._store, self._keys, self._partners = records, store, keys, partners
        self._sealer, self._blind, self._trail = sealer, blind, trail
        self._clock, self._entropy = clock, entropy

    def register(self, caller: Caller, asked: ReceiverAsked) -> ReceiverView:
        """A new receiver, with its token for this once."""
        caller.require("admin")
        unknown = [each for each in asked.events if each not in SUPPORTED]
        if unknown:
            raise InvalidField(
                "nothing of this is told", path="events", expected=", ".join(SUPPORTED), found="another type"
            )
        token = "sr_" + base64.urlsafe_b64encode(self._entropy(TOKEN_BYTES)).decode().rstrip("=")
        now_ms = self._clock.now_ms()
        kept = Receiver(
            id=asked.partner,
            audience=asked.audience,
            events=asked.events or SUPPORTED,
            token=digest_of(token),
            made_ms=now_ms,
        )

        def work(connection: Any) -> None:
            partner = self._partners.get(connection, asked.partner, lock=True)
            if partner is None:
                raise NotFound("no such partner", path="partner", expected="a partner's id")
            is_over = partner.state == "ended" or now_ms >= end_ms(partner.agreement)
            if PURPOSE not in partner.scope or is_over:
                raise Refused(
                    "the partner's scope does not hold this", code="share_beyond_scope", path="partner",
                    expected=f"a partner with the purpose {PURPOSE}", found="one without, or one that is over",
                )  # fmt: skip
            known = self._store.all(connection)
            if len(known) >= RECEIVERS_MAX or any(each.id == kept.id for each in known):
                raise Conflict(
                    "this partner is a receiver, or there are too many",
                    path="partner",
                    expected="another partner",
                )
            if self._keys.in_use(connection) is None:
                self._keys.put_in_use(connection, new_key(), at_ms=now_ms)
            self._store.add(connection, kept)
            self._audit(connection, caller, kept.id, "register")

        self._records.write(work)
        return receiver_view(kept, subjects=0, tokens={}, token=token)

    def all(self) -> list[ReceiverView]:
        """All of them, by partner."""

        def work(connection: Any) -> list[ReceiverView]:
            shown = []
            for each in self._store.all(connection):
                subjects, tokens = self._store.counted(connection, each.id)
                shown.append(receiver_view(each, subjects=subjects, tokens=tokens))
            return shown

        return self._records.read(work)

    def remove(self, caller: Caller, partner: str) -> None:
        """Tell it nothing more, and forget as whom it knows customers."""
        caller.require("admin")

        def work(connection: Any) -> None:
            self._got(connection, partner)
            self._store.remove(connection, partner)
            self._audit(connection, caller, partner, "remove")

        self._records.write(work)

    def name(self, caller: Caller, partner: str, user: str, subject: dict[str, Any]) -> None:
        """From now on the receiver may hear of this customer, whom it knows as ``subject``."""
        caller.require("service")
        read = read_subject(subject)
        if read is None or read.format not in (*FORMATS, COMPLEX):
            raise InvalidField(
                "not a subject",
                path="subject",
                expected="a subject identifier of RFC 9493",
                found="another object",
            )
        plain = msgspec.json.encode(subject, order="sorted")
        if len(plain) > SUBJECT_BYTES_MAX:
            raise InputTooLarge(
                "the subject is too long", path="subject", expected=f"{SUBJECT_BYTES_MAX} bytes"
            )
        token = self._blind("user", user)

        def work(connection: Any) -> None:
            self._got(connection, partner)
            self._store.name(
                connection, partner, token, digest=self._blind(SUBJECT_DOMAIN, plain.decode()), named=read.format,
                sealed=self._sealer.close(plain, "subject", partner, token),
            )  # fmt: skip
            self._audit(connection, caller, partner, "name")

        self._records.write(work)

    def unname(self, caller: Caller, partner: str, user: str) -> None:
        """It hears of this customer no more, not even what is on its way."""
        caller.require("service")

        def work(connection: Any) -> None:
            self._got(connection, partner)
            if not self._store.unname(connection, partner, self._blind("user", user)):
                raise NotFound("this customer is not named to it", path="user", expected="one that is")
            self._audit(connection, caller, partner, "unname")

        self._records.write(work)

    def rotate(self, caller: Caller) -> None:
        """Another key signs from now on; that of before is published for a week."""
        caller.require("admin")
        made, now_ms = new_key(), self._clock.now_ms()

        def work(connection: Any) -> None:
            self._keys.put_in_use(connection, made, at_ms=now_ms)
            self._audit(connection, caller, made.kid, "rotate")

        self._records.write(work)

    def _got(self, connection: Any, partner: str) -> Receiver:
        kept = self._store.get(connection, partner, lock=True)
        if kept is None:
            raise NotFound(
                "no such receiver", path="id", expected="a partner that is a receiver", found="another id"
            )
        return kept

    def _audit(self, connection: Any, caller: Caller, subject: str, step: str) -> None:
        self._trail.append(
            connection, at_ms=self._clock.now_ms(), actor=caller.key, deed="signals:change", subject=subject,
            details={"role": "receiver", "step": step},
        )  # fmt: skip
