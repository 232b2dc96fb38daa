"""Problems: every refusal and every failure as one kind of document, RFC 9457.

Promise: ``code`` is stable, ``status`` fits it, ``type`` leads to its explanation in ``/docs``, and the diagnostics of
an error (path, expected, found, hint, retry_after_s) stand beside them. Nothing of what the caller sent is repeated:
an error that is not ours becomes a bare 500, and its class and the request's id go to the log.
"""

from __future__ import annotations

import logging
import math
from typing import Final

import msgspec
from msgspec import Struct

from shopward.errors import ShopwardError, StoreError
from shopward.stepup.refusals import REFUSALS

MEDIA_TYPE: Final = b"application/problem+json"
INTERNAL: Final = "internal_error"
_logger = logging.getLogger("shopward")

CODES: Final[dict[str, str]] = {
    "malformed_input": "The body is not JSON, not UTF-8, or cut off.",
    "invalid_field": "A field is missing, of a wrong type, or outside its range; path says which.",
    "unknown_field": "A field is not in the catalogue; free data goes into properties.",
    "unknown_word": "A word is outside its closed vocabulary.",
    "event_in_future": "The event lies more than 5 minutes ahead of the server's clock.",
    "input_too_large": "A limit on bytes, depth, length or count was passed.",
    "event_id_reused": "The event's id was used for another event.",
    "idempotency_key_reused": "The Idempotency-Key was used with another body.",
    "conflict": "The same id or key was used before with other content.",
    "bad_input": "The request cannot be understood.",
    "not_found": "There is no such thing here.",
    "purpose_fields": "The purpose does not give these fields of this kind of record.",
    "purpose_window": "The record is too old for the purpose.",
    "vault_locked": "A person, a customer, a record or the vault is locked.",
    "reveal_denied": "The decision engine does not let this be seen.",
    "exercise_off": "Exercises are not switched on: a setting is missing.",
    "exercise_customer": "An address of the exercise is a customer's; nobody was sent anything.",
    "training_needed": "The purpose is for persons who are trained for it, and there is no record that this one is.",
    "reveal_challenged": "The person has to prove that it is them; challenge_id says what to answer.",
    "too_many_visits": "So many links were asked for this customer within a minute that no more are made now.",
    "quota_reached": "The person has seen as many records today as may be seen.",
    "request_state": "The request for a second person is over, used, or not agreed to.",
    "record_conflict": "The record is another customer's or of another kind, or a customer has too many.",
    "rotation_state": "A rotation runs, a key is still needed, or no next root is set.",
    "seal_broken": "Something sealed was changed, moved, put back or cut; nothing of it is shown.",
    "record_rolled_back": "A record is not the version that its customer's ledger names.",
    "key_retired": "Something was sealed under a key that is destroyed.",
    "root_differs": "The vault's root is not the one that wrapped its keys.",
    "document_unavailable": "This server cannot write the document in that form.",
    "corpus_unreachable": "Stolen passwords cannot be asked about just now.",
    "vault_keys_unavailable": "Who keeps the root key of the vault does not answer.",
    "role_missing": "The key does not have the role that the call needs.",
    "second_person_needed": "The person who asked may not approve it.",
    "share_exceeded": "The order is about more users than the key may approve.",
    "release_condition": "The order does not name this condition, or it is not met.",
    "release_needs_two": "So many users on one person's word are a release, which takes two.",
    "release_pending": "A release of this order waits for approval already.",
    "already_released": "These users were let out of the order before.",
    "order_state": "The order is in a state from which this cannot be done.",
    "order_without_end": "An order needs an end or a date of review.",
    "order_weaker": "The order would take the place of a stronger one.",
    "notice_link": "A notice to customers holds no link.",
    "mailing_state": "The mailing is in a state from which this cannot be done, or nobody would be told.",
    "conversation_not_yours": "Somebody else looks after the conversation, or nobody.",
    "conversation_state": "The conversation is closed.",
    "conversation_turns": "The conversation was handed around too often.",
    "conversation_window": "The customer wrote more than a day ago: only a template may be sent.",
    "line_shut": "Nothing goes out by this line.",
    "reply_not_taken": "The platform did not take the answer.",
    "line_state": "The line is in a state from which this cannot be done.",
    "line_pin": "Nobody set a new two-step PIN since the line was condemned.",
    "line_tickets": "So much work is announced for this line that no more is taken.",
    "too_many_lines": "There are as many lines as there can be.",
    "notice_incomplete": "A notice does not say yet what its rule wants.",
    "notice_too_early": "Another notice has to be out first.",
    "partner_suspended": "The partner is suspended.",
    "partner_agreement_over": "The agreement with the partner is over.",
    "share_over": "The share is over.",
    "share_beyond_scope": "The partner's scope was narrowed after the share was made.",
    "transmitter_unusable": "The other company does not answer as it should; nothing is registered.",
    "transmitter_unreachable": "The other company does not answer now, or its keys cannot be had; ask again.",
    "relay_quota_reached": "Customers were reached by this alias, or by this partner's, as often today as they may be.",
    "alias_over": "Nobody is behind this alias any more.",
    "share_page_missing": "The share has no such page.",
    "incident_owes": "An incident is closed when nothing is owed any more.",
    "incident_closed": "The incident is closed.",
    "not_a_bounce": "The report gives up no message of ours.",
    "incident_state": "From this state the incident does not go there.",
    "scope_version": "Somebody else scoped the incident meanwhile.",
    "pack_too_large": "The log since the incident's first line is too long for a pack.",
    "incident_full": "The timeline holds no more lines.",
    "claim_state": "The claim is in a state from which this cannot be done.",
    "claim_needs_evidence": "Nothing is refused without evidence against that item.",
    "claim_always_borne": "A loss after notice, or under an order, is always the platform's.",
    "already_claimed": "Another claim disputes this event.",
    "payout_state": "The payout has ended.",
    "unbalanced": "Debits and credits of a transfer differ.",
    "not_covered": "An account has less than a transfer takes from it.",
    "already_ended": "The transfer was posted, voided or reversed before.",
    "wrong_stage": "A transfer that is pending is posted or voided; one that is posted is reversed.",
    "set_state": "The victim set is sealed, still open, too large, or changed meanwhile.",
    "set_count": "The victim set does not hold as many users as were meant.",
    "trace_incomplete": "A trace did not reach everybody; nothing is made of it.",
    "predicate_invalid": "The predicate does not compile.",
    "key_exists": "A key of this name exists, or there are too many.",
    "campaign_over": "The campaign has ended; nobody is told of it again.",
    "told_already": "The shop was told of this campaign less than ten minutes ago.",
    "webhook_url": "A webhook's URL is https, or http on this machine, without a user name or a fragment; or a mailbox.",
    "webhook_exists": "A webhook of this URL exists, or there are too many.",
    "not_authorizable": "Only an attempted or requested movement of money can be authorised.",
    "authorization_expired": "The authorisation's ten seconds are over.",
    "authorization_settled": "The authorisation was captured or voided before.",
    "recovery_state": "It is not this step's turn.",
    "recovery_lapsed": "The proof of the recovery is older than an hour; prove it again.",
    "recovery_review": "Every listed change has to be answered, once.",
    "password_refused": "This password is known or was used before.",
    "undo_refused": "The change cannot be taken back with this token.",
    "capture_stopped": "A protection order covers the operation; nothing was captured.",
    "shared_host": "Pages of others stand on this host; it is not listed as a whole.",
    "no_profile": "The shop has published no profile yet.",
    "profile_refused": "The profile would judge the shop's own links or senders wrongly.",
    "profile_pinned": "The profile of a file is in force; nothing is published over it.",
    "refused": "The caller may not do this.",
    "unauthorized": "The API key is missing or is none of ours.",
    "method_not_allowed": "The resource exists and does not take this method.",
    "unsupported_media_type": "The content type is not the one that this call reads.",
    "request_timeout": "The body did not come in time.",
    "overloaded": "Too much is under way; ask again after Retry-After.",
    "not_ready": "The state is still being rebuilt from the log; ask again after Retry-After.",
    "shutting_down": "The server is stopping; ask again after Retry-After.",
    "store_unavailable": "The log cannot record or read now; nothing was answered, ask again.",
    "store_outcome_unknown": "The log went away during a commit; ask again, and hear what was recorded.",
    "store_locked": "Another decision server owns this store.",
    "store_error": "The log refused; nothing was answered.",
    "snapshot_invalid": "A snapshot is refused; state is rebuilt from the log.",
    "model_invalid": "A model bundle is refused; the rules go on alone.",
    "policy_invalid": "A policy does not compile or fails its own tests; the running one stays.",
    "policy_version_taken": "The policy's name and version was published with other files.",
    "policy_from_folder": "The policy in force is the operator's folder; nothing is published over it.",
    "misconfigured": "A setting is unsafe or cannot work.",
    INTERNAL: "A fault of ours; the log of the server names it under the request's id.",
} | {
    str(code): f"{sentence[0].upper()}{sentence[1:]}."
    for code, (_status, sentence, _hint) in REFUSALS.items()
}
"""What each code means; ``/docs`` and docs/reference/http-api.md are held against it."""


class Problem(Struct, omit_defaults=True):
    """An RFC 9457 problem."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    path: str | None = None
    expected: str | None = None
    found: str | None = None
    hint: str | None = None
    retry_after_s: float | None = None
    event_id: str | None = None
    line: int | None = None
    file: str | None = None
    column: int | None = None
    challenge_id: str | None = None


class HttpRefusal(ShopwardError):
    """A refusal that only HTTP knows: no key, no such path, a wrong content type, a client that is too slow."""

    def __init__(
        self, status: int, code: str, message: str, *, retry_after_s: float | None = None, **parts: str
    ) -> None:
        super().__init__(message, code=code, retry_after_s=retry_after_s, **parts)
        self.status = status


_encoder: Final = msgspec.json.Encoder()
_TITLES: Final = {code: code.replace("_", " ").capitalize() for code in CODES}


def problem_of(error: BaseException, *, request_id: str = "", line: int | None = None) -> Problem:
    """The problem that an error is. One that is not ours is logged by class and request, and says nothing."""
    if not isinstance(error, ShopwardError):
        _logger.error("request %s failed: %s", request_id, type(error).__name__)
        return Problem(
            f"/docs#problem-{INTERNAL}",
            _TITLES[INTERNAL],
            500,
            "a fault of ours; nothing is known to be recorded",
            INTERNAL,
        )
    status = error.status
    retry_after_s = error.retry_after_s
    if isinstance(error, StoreError) and retry_after_s is None:
        retry_after_s = 5.0
    return Problem(
        f"/docs#problem-{error.code}",
        _TITLES.get(error.code) or error.code.replace("_", " ").capitalize(),
        status,
        error.message,
        error.code,
        error.path,
        error.expected,
        error.found,
        error.hint,
        retry_after_s,
        None,
        line or getattr(error, "line", None),
        getattr(error, "file", None),
        getattr(error, "column", None),
        getattr(error, "challenge_id", None),
    )


def problem_bytes(problem: Problem) -> bytes:
    """The document."""
    return _encoder.encode(problem)


def problem_headers(problem: Problem) -> list[tuple[bytes, bytes]]:
    """Headers that belong to a problem besides its type and length."""
    headers: list[tuple[bytes, bytes]] = []
    if problem.retry_after_s is not None:
        headers.append((b"retry-after", str(max(1, math.ceil(problem.retry_after_s))).encode()))
    if problem.status == 401:
        headers.append((b"www-authenticate", b'Bearer realm="shopward"'))
    if problem.status in (408, 413):  # what is left of the body is not read
        headers.append((b"connection", b"close"))
    return headers
