"""Asking for a proof: a challenge is opened, a code sent, options given to a browser, or it is called off.

Promise: a decision has at most one challenge; asked for again, the same one is given. What the threat may own is not
offered. A code goes out after its hash is committed: a code that nobody keeps is never sent, and one that could not be
sent is worth nothing to anybody.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from shopward.stepup import challenges, passkeys
from shopward.stepup.admission import admissible, checked_excluded, checked_subject, given, known
from shopward.stepup.challenges import Challenge
from shopward.stepup.code_channel import LIFETIME_MS, ChannelDown, checked_address, message, new_code
from shopward.stepup.factors import CHANNEL_FACTORS, offer
from shopward.stepup.limits import CODES_SENT, counted
from shopward.stepup.refusals import StepUpRefused
from shopward.stepup.store import ACTIVE

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from sqlalchemy import Connection

    from shopward.stepup.challenges import Subject
    from shopward.stepup.code_channel import Language
    from shopward.stepup.desk import Desk


def open_challenge(
    desk: Desk,
    subject: Subject,
    *,
    preferred: Sequence[str],
    excluded: Collection[str],
    reachable: Collection[str] = (),
    level_min: int = 1,
    at_ms: int,
) -> Challenge:
    """The challenge of a decision; made where it has none.

    Args:
        desk: what step-up works with.
        subject: user, device, operation and decision that the proof will be bound to.
        preferred: factors in the policy's order.
        excluded: factors that the threat may own.
        reachable: ``email`` and ``whatsapp``, where the shop has a contact that it trusts.
        level_min: what the operation asks for (``factors.LEVELS``).
        at_ms: the server's time.

    Raises:
        StepUpRefused: ``no_factor_left``, or ``wrong_subject`` where the decision's challenge is another's.
        InvalidField: a token, id or word is too long or of another form.
    """
    checked_subject(subject)
    never = checked_excluded(excluded)
    by = _by_channel(desk, reachable)

    def work(connection: Connection) -> Challenge:
        found = desk.store.of_decision(connection, subject.decision_id)
        if found is None:
            new = _new(
                desk, connection, subject, preferred=preferred, excluded=never, reachable=by,
                level_min=level_min, at_ms=at_ms,
            )  # fmt: skip
            if desk.store.add(connection, new):
                desk.witness.saw(
                    connection, "challenge:create", user=subject.user, subject=new.id, what=subject.operation,
                    at_ms=at_ms,
                )  # fmt: skip
                return new
            found = desk.store.of_decision(connection, subject.decision_id)
        if found is None:  # neither made nor found; fails closed
            raise StepUpRefused("unknown_challenge")
        challenges.require_subject(found, subject)
        return found

    return desk.run(work)


def look_at_challenge(
    desk: Desk,
    subject: Subject,
    *,
    preferred: Sequence[str],
    excluded: Collection[str],
    reachable: Collection[str] = (),
    level_min: int = 1,
    at_ms: int,
) -> Challenge:
    """The challenge of a decision, or the one that ``open_challenge`` would make now; nothing is written.

    Raises:
        StepUpRefused: as ``open_challenge``.
        InvalidField: as ``open_challenge``.
    """
    checked_subject(subject)
    never = checked_excluded(excluded)
    by = _by_channel(desk, reachable)

    def work(connection: Connection) -> Challenge:
        found = desk.store.of_decision(connection, subject.decision_id)
        if found is None:
            return _new(
                desk, connection, subject, preferred=preferred, excluded=never, reachable=by,
                level_min=level_min, at_ms=at_ms,
            )  # fmt: skip
        challenges.require_subject(found, subject)
        return found

    return desk.look(work)


def passkey_options(
    desk: Desk, challenge_id: str, *, expected: Subject, also_excluded: Collection[str] = (), at_ms: int
) -> str:
    """JSON for ``navigator.credentials.get()``; what is signed is bound to the subject.

    Raises:
        StepUpRefused: as ``verify``.
    """

    def work(connection: Connection) -> str | StepUpRefused:
        challenge = admissible(
            desk,
            connection,
            challenge_id,
            expected=expected,
            factor="passkey",
            also_excluded=also_excluded,
            at_ms=at_ms,
        )
        if isinstance(challenge, StepUpRefused):
            return challenge
        factors = desk.store.factors(connection, expected.user)
        allow = [each.credential_id for each in factors if (each.kind, each.state) == ("passkey", ACTIVE)]
        nonce = challenges.nonce_for(challenge)
        return passkeys.authentication_options(party=desk.party, nonce=nonce, allow=allow)

    return given(desk.run(work))


def send_code(
    desk: Desk,
    challenge_id: str,
    *,
    expected: Subject,
    channel: str,
    to: str,
    language: Language,
    also_excluded: Collection[str] = (),
    at_ms: int,
) -> int:
    """Send a fresh code, which makes an older one worthless; until when it holds, in milliseconds.

    Args:
        desk: what step-up works with.
        challenge_id: of the challenge.
        expected: what the caller takes the challenge to be for.
        channel: ``email`` or ``whatsapp``.
        to: the address or number; it is handed on and not kept.
        language: of the message.
        also_excluded: what has become untrustworthy since the challenge was asked.
        at_ms: the server's time.

    Raises:
        StepUpRefused: as ``verify``; ``too_many_codes``; ``channel_unavailable``.
        InvalidField: ``to`` is no address of this channel.
    """
    if channel in CHANNEL_FACTORS:
        checked_address(channel, to)
    code, carried = new_code(desk.entropy), _by_channel(desk, (channel,))

    def work(connection: Connection) -> int | StepUpRefused:
        challenge = admissible(
            desk,
            connection,
            challenge_id,
            expected=expected,
            factor=channel,
            also_excluded=also_excluded,
            at_ms=at_ms,
        )
        if isinstance(challenge, StepUpRefused):
            return challenge
        if not carried:
            raise StepUpRefused("channel_unavailable", expected="a channel of the shop", found="none")
        return _code_made(desk, connection, challenge, channel=channel, code=code, at_ms=at_ms)

    expires_ms = given(desk.run(work))
    ready = message(
        channel=channel,
        to=to,
        code=code,
        operation=expected.operation,
        domain=desk.party.id,
        shop=desk.party.name,
        language=language,
    )
    try:
        desk.channel.send(ready)
    except ChannelDown:
        pass
    else:
        return expires_ms
    raise StepUpRefused("channel_unavailable", expected="a channel that takes it", found="one that is down")


def cancel_challenge(desk: Desk, challenge_id: str, *, expected: Subject, at_ms: int) -> None:
    """Close a challenge unanswered: "that was not me".

    Raises:
        StepUpRefused: ``unknown_challenge``, ``wrong_subject``, or it is closed already.
    """

    def work(connection: Connection) -> None:
        challenge = known(desk, connection, challenge_id)
        challenges.require_subject(challenge, expected)
        challenges.require_state_open(challenge)
        desk.store.close(connection, challenge, "cancelled", seen_ms=max(at_ms, challenge.seen_ms))
        subject = challenge.subject
        desk.witness.saw(
            connection, "challenge:cancel", user=subject.user, subject=challenge.id, what=subject.operation,
            at_ms=at_ms,
        )  # fmt: skip

    desk.run(work)


def _new(
    desk: Desk,
    connection: Connection,
    subject: Subject,
    *,
    preferred: Sequence[str],
    excluded: tuple[str, ...],
    reachable: Collection[str],
    level_min: int,
    at_ms: int,
) -> Challenge:
    """A challenge that nobody keeps yet."""
    available = _available(desk, connection, subject.user, reachable)
    return Challenge(
        id=desk.ids.new("chl", at_ms),
        subject=subject,
        offered=offer(preferred=preferred, excluded=excluded, available=available, level_min=level_min),
        excluded=excluded,
        level_min=level_min,
        nonce=desk.entropy(challenges.NONCE_BYTES),
        state="open",
        tries=0,
        created_ms=at_ms,
        expires_ms=at_ms + challenges.LIFETIME_MS,
        seen_ms=at_ms,
    )


def _by_channel(desk: Desk, reachable: Collection[str]) -> frozenset[str]:
    """The factors that go over a channel now; outside of any transaction, since a channel may ask the store whether it is barred."""
    return CHANNEL_FACTORS & frozenset(reachable) & desk.carries


def _available(desk: Desk, connection: Connection, user: str, reachable: Collection[str]) -> set[str]:
    """What a user can answer with now."""
    has = {each.kind for each in desk.store.factors(connection, user) if each.state == ACTIVE}
    if not desk.party.id:
        has.discard("passkey")
    if any(code.used_ms is None for code in desk.store.codes(connection, user)):
        has.add("recovery_code")
    return has | set(reachable)


def _code_made(
    desk: Desk, connection: Connection, challenge: Challenge, *, channel: str, code: str, at_ms: int
) -> int:
    """Keep the hash of a code; until when it holds."""
    if challenge.codes_sent >= challenges.CODES_MAX:
        raise StepUpRefused("too_many_codes", expected=f"at most {challenges.CODES_MAX} for a challenge")
    now_ms = challenges.effective_ms(challenge, at_ms)
    kind, user = f"sent:{channel}", challenge.subject.user
    tally = counted(desk.store.tally(connection, user, kind), rate=CODES_SENT, at_ms=at_ms)
    desk.store.set_tally(connection, user, kind, tally)
    expires_ms = min(now_ms + LIFETIME_MS, challenge.expires_ms)
    desk.store.touch(
        connection,
        challenge,
        seen_ms=now_ms,
        codes_sent=challenge.codes_sent + 1,
        code_channel=channel,
        code_digest=desk.keys.code_digest(code, context=desk.code_context(challenge.id, channel)),
        code_expires_ms=expires_ms,
    )
    return expires_ms
