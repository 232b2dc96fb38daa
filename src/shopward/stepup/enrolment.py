"""Enrolment: factors come, are confirmed, and go.

Promise:

- Who has a factor needs a passed challenge to add or remove one (operations ``mfa_enroll`` and ``mfa_remove``), proved
  with a factor of level 2 or more and spent in the same transaction (ASVS V6.4.4, V7.5.1). An e-mailed code adds nothing.
- A TOTP secret or a passkey counts once it was confirmed, within 10 minutes; a confirmed app replaces the one before.
  Once a first factor counts, what else waits never does: whoever began it had nothing to prove. Who begins, confirms or makes
  codes is alone with the user's factors until the commit, on either database.
- Every factor can be revoked (V6.5.6); its secret is wiped. ``revoke_by_order`` asks for no proof and is for staff and
  orders: the flow knows who they are.

Not here: telling the customer of each change (V6.3.7) and ending other sessions (V7.4.3), which ``flows`` owes in the
same transaction, and whether a customer's first factor may be enrolled, which is a decision like any other.
"""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from shopward.stepup import passkeys, recovery_codes, totp
from shopward.stepup.factors import LEVELS
from shopward.stepup.limits import Tally
from shopward.stepup.proving import spend
from shopward.stepup.refusals import StepUpRefused
from shopward.stepup.store import ACTIVE, PENDING, REVOKED, KeptFactor
from shopward.values import MINUTE_MS

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from shopward.stepup.desk import Desk

CONFIRM_WITHIN_MS: Final = 10 * MINUTE_MS
PASSKEYS_MAX: Final = 10
PROOF_LEVEL_MIN: Final = 2
RECOVERY_CODES: Final = "recovery_code"
"""The id under which a set of recovery codes is listed and removed, and its kind."""
_NONCE_BYTES: Final = 32
_ALONE: Final = "enrolment"
"""The tally that is nobody's count: its row is what those wait for who change one user's factors."""


class Proof(Struct, frozen=True):
    """A passed challenge to spend, and the device that it was passed on."""

    challenge_id: str
    device: str


class TotpOffer(Struct, frozen=True):
    """A new secret, to be shown once: as QR code of the URI, or typed in."""

    factor_id: str
    uri: str
    secret_base32: str

    def __repr__(self) -> str:
        """Without the secret, so that no log and no traceback shows it."""
        return f"TotpOffer(factor_id={self.factor_id!r})"


class PasskeyOffer(Struct, frozen=True):
    """JSON for ``navigator.credentials.create()``."""

    factor_id: str
    options: str


class Enrolled(Struct, frozen=True):
    """A factor as its owner may see it; state ``active`` or ``suspect``."""

    factor_id: str
    kind: str
    state: str
    created_ms: int


def enrolled(desk: Desk, user: str) -> tuple[Enrolled, ...]:
    """A user's factors; recovery codes as one, with the id ``recovery_code`` and how many are left as its state."""

    def work(connection: Connection) -> tuple[Enrolled, ...]:
        factors = desk.store.factors(connection, user)
        left = sum(code.used_ms is None for code in desk.store.codes(connection, user))
        shown = [
            Enrolled(each.factor_id, each.kind, each.state, each.created_ms)
            for each in factors
            if each.state != PENDING
        ]
        return (*shown, *([Enrolled(RECOVERY_CODES, RECOVERY_CODES, f"{left} left", 0)] if left else []))

    return desk.look(work)


def start_totp(desk: Desk, user: str, *, account: str, proof: Proof | None = None, at_ms: int) -> TotpOffer:
    """A new secret for an app, which counts once ``confirm_totp`` has seen a code of it.

    Raises:
        StepUpRefused: ``no_proof`` and what ``spend`` refuses.
        InvalidField: ``account`` cannot stand in the URI.
    """
    secret = totp.new_secret(desk.entropy)
    uri = totp.provisioning_uri(secret, account=account, issuer=desk.party.name)
    factor_id = desk.ids.new("fac", at_ms)
    sealed = desk.keys.seal(secret, context=desk.secret_context(user, factor_id), entropy=desk.entropy)

    def work(connection: Connection) -> None:
        _prove(desk, connection, user, operation="mfa_enroll", proof=proof, at_ms=at_ms)
        _start(desk, connection, user, _pending(factor_id, "totp", sealed, totp.NO_STEP, at_ms))

    desk.run(work)
    return TotpOffer(factor_id, uri, base64.b32encode(secret).decode())


def confirm_totp(desk: Desk, user: str, factor_id: str, *, code: str, at_ms: int) -> None:
    """Make a new app count; the one before is revoked.

    Raises:
        StepUpRefused: ``no_proof`` where nothing waits under this id, ``expired``, and what ``verify_totp`` refuses.
    """

    def work(connection: Connection) -> None:
        _be_alone(desk, connection, user)
        factors = desk.store.factors(connection, user, lock=True)
        waiting = _waiting(factors, factor_id, "totp", at_ms)
        _count_first(desk, connection, user, factor_id, at_ms=at_ms)
        secret = desk.keys.unseal(waiting.secret, context=desk.secret_context(user, factor_id))
        step = totp.verify_totp(code=code, secret=secret, last_step=totp.NO_STEP, at_ms=at_ms)
        for each in factors:
            if (each.kind, each.state) == ("totp", ACTIVE):
                desk.store.set_factor_state(connection, user, each.factor_id, state=REVOKED, at_ms=at_ms)
        desk.store.tally(connection, user, "totp")
        desk.store.set_tally(connection, user, "totp", Tally())
        desk.store.use_counter(connection, user, waiting, counter=step)
        desk.store.set_factor_state(connection, user, factor_id, state=ACTIVE, at_ms=at_ms)
        desk.witness.saw(connection, "factor:enrol", user=user, subject=factor_id, what="totp", at_ms=at_ms)

    desk.run(work)


def start_passkey(
    desk: Desk, user: str, *, user_name: str, proof: Proof | None = None, at_ms: int
) -> PasskeyOffer:
    """Options for a new passkey, which counts once ``confirm_passkey`` has seen the registration.

    Raises:
        StepUpRefused: ``not_offered``, ``no_proof``, what ``spend`` refuses, ``too_many_factors``.
    """
    if not desk.party.id:
        raise StepUpRefused("not_offered", expected="a shop with a domain", found="none")
    nonce, factor_id = desk.entropy(_NONCE_BYTES), desk.ids.new("fac", at_ms)

    def work(connection: Connection) -> list[bytes]:
        _prove(desk, connection, user, operation="mfa_enroll", proof=proof, at_ms=at_ms)
        kept = [each for each in desk.store.factors(connection, user) if each.kind == "passkey"]
        counting = [each.credential_id for each in kept if each.state != PENDING]
        if len(counting) >= PASSKEYS_MAX:
            raise StepUpRefused("too_many_factors", expected=f"at most {PASSKEYS_MAX} passkeys")
        _start(desk, connection, user, _pending(factor_id, "passkey", nonce, 0, at_ms))
        return counting

    exclude = desk.run(work)
    options = passkeys.registration_options(
        party=desk.party,
        nonce=nonce,
        user_handle=desk.user_handle(user),
        user_name=user_name,
        exclude=exclude,
    )
    return PasskeyOffer(factor_id, options)


def confirm_passkey(desk: Desk, user: str, factor_id: str, *, answer: str, at_ms: int) -> str:
    """The id of the passkey that now counts.

    Raises:
        StepUpRefused: ``no_proof`` where nothing waits under this id, ``expired``, ``already_enrolled``, and what
            ``verify_registration`` refuses.
    """

    def work(connection: Connection) -> str:
        _be_alone(desk, connection, user)
        waiting = _waiting(desk.store.factors(connection, user, lock=True), factor_id, "passkey", at_ms)
        new = passkeys.verify_registration(answer=answer, party=desk.party, expected_nonce=waiting.secret)
        _count_first(desk, connection, user, factor_id, at_ms=at_ms)
        desk.store.set_factor_state(connection, user, factor_id, state=REVOKED, at_ms=at_ms)
        counting = KeptFactor(
            desk.ids.new("fac", at_ms), "passkey", ACTIVE, new.public_key, new.credential_id, new.sign_count, at_ms, at_ms
        )  # fmt: skip
        if not desk.store.add_factor(connection, user, counting):
            raise StepUpRefused("already_enrolled", expected="a new passkey", found="one that is enrolled")
        desk.witness.saw(
            connection, "factor:enrol", user=user, subject=counting.factor_id, what="passkey", at_ms=at_ms
        )
        return counting.factor_id

    return desk.run(work)


def new_recovery_codes(desk: Desk, user: str, *, proof: Proof | None = None, at_ms: int) -> tuple[str, ...]:
    """Ten new codes, to be shown once; the old set is worthless from now on.

    Raises:
        StepUpRefused: ``no_proof`` and what ``spend`` refuses.
    """
    codes = recovery_codes.new_codes(desk.entropy)
    kept = recovery_codes.hashed(codes, desk.hasher)

    def work(connection: Connection) -> None:
        _prove(desk, connection, user, operation="mfa_enroll", proof=proof, at_ms=at_ms)
        _count_first(desk, connection, user, RECOVERY_CODES, at_ms=at_ms)
        desk.store.tally(connection, user, "recovery_code")
        desk.store.set_tally(connection, user, "recovery_code", Tally())
        desk.store.replace_codes(connection, user, kept)
        desk.witness.saw(
            connection, "factor:enrol", user=user, subject=RECOVERY_CODES, what=RECOVERY_CODES, at_ms=at_ms
        )

    desk.run(work)
    return codes


def revoke(desk: Desk, user: str, factor_id: str, *, proof: Proof | None, at_ms: int) -> bool:
    """Remove a factor at its owner's wish; false where there is none of this id.

    Raises:
        StepUpRefused: ``no_proof`` and what ``spend`` refuses.
    """

    def work(connection: Connection) -> bool:
        _prove(desk, connection, user, operation="mfa_remove", proof=proof, at_ms=at_ms)
        return revoke_by_order(desk, connection, user, factor_id, at_ms=at_ms)

    return desk.run(work)


def revoke_by_order(desk: Desk, connection: Connection, user: str, factor_id: str, *, at_ms: int) -> bool:
    """Remove a lost or stolen factor in the caller's transaction; ``recovery_code`` removes the whole set."""
    kind = RECOVERY_CODES
    if factor_id == RECOVERY_CODES:
        had = bool(desk.store.codes(connection, user))
        desk.store.replace_codes(connection, user, ())
    else:
        kind = next(
            (each.kind for each in desk.store.factors(connection, user) if each.factor_id == factor_id), ""
        )
        had = desk.store.set_factor_state(connection, user, factor_id, state=REVOKED, at_ms=at_ms)
    if had:
        desk.witness.saw(connection, "factor:remove", user=user, subject=factor_id, what=kind, at_ms=at_ms)
    return had


def _prove(
    desk: Desk, connection: Connection, user: str, *, operation: str, proof: Proof | None, at_ms: int
) -> None:
    """Spend the proof that somebody with a factor owes; what is handed over by anybody else is spent too."""
    _be_alone(desk, connection, user)
    owes = _has_factor(desk, connection, user)
    if not owes and proof is None:
        return
    if proof is None:
        raise StepUpRefused("no_proof", expected=f"a passed challenge for {operation}", found="none")
    proved = spend(
        desk, connection, proof.challenge_id, operation=operation, user=user, device=proof.device, at_ms=at_ms
    )
    if owes and LEVELS[proved.factor] < PROOF_LEVEL_MIN:
        raise StepUpRefused(
            "weak_factor", expected=f"level {PROOF_LEVEL_MIN} or more", found=f"level {proved.level}"
        )


def _be_alone(desk: Desk, connection: Connection, user: str) -> None:
    """Wait for whoever else changes this user's factors; what is read from here on is what they left."""
    desk.store.tally(connection, user, _ALONE)


def _has_factor(desk: Desk, connection: Connection, user: str) -> bool:
    factors = desk.store.factors(connection, user)
    return any(each.state != PENDING for each in factors) or bool(desk.store.codes(connection, user))


def _count_first(desk: Desk, connection: Connection, user: str, factor_id: str, *, at_ms: int) -> None:
    """Where this is a user's first factor, drop what else waits: it may be a stranger's, who began it without a proof."""
    if _has_factor(desk, connection, user):
        return
    for each in desk.store.factors(connection, user):
        if each.factor_id != factor_id:
            desk.store.set_factor_state(connection, user, each.factor_id, state=REVOKED, at_ms=at_ms)


def _pending(factor_id: str, kind: str, secret: bytes, counter: int, at_ms: int) -> KeptFactor:
    return KeptFactor(factor_id, kind, PENDING, secret, b"", counter, at_ms, at_ms)


def _start(desk: Desk, connection: Connection, user: str, factor: KeptFactor) -> None:
    """Keep what waits to be confirmed, in place of what waited before."""
    for each in desk.store.factors(connection, user):
        if (each.kind, each.state) == (factor.kind, PENDING):
            desk.store.set_factor_state(
                connection, user, each.factor_id, state=REVOKED, at_ms=factor.created_ms
            )
    desk.store.add_factor(connection, user, factor)


def _waiting(factors: tuple[KeptFactor, ...], factor_id: str, kind: str, at_ms: int) -> KeptFactor:
    found = next(
        (each for each in factors if (each.factor_id, each.kind, each.state) == (factor_id, kind, PENDING)),
        None,
    )
    if found is None:
        raise StepUpRefused("no_proof", expected="an enrolment that was started", found="none")
    if not found.created_ms <= at_ms < found.created_ms + CONFIRM_WITHIN_MS:
        raise StepUpRefused("expired", expected="a confirmation within 10 minutes", found="another time")
    return found
