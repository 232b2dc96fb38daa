"""The whole error tree of Shopward, drawn once.

Every error that leaves this package is one of these. Each carries a stable ``code`` (part of the public
contract: codes are never renamed), what was ``expected``, what was ``found``, a ``hint`` that says what to do,
the ``path`` inside the input where one exists, and ``retry_after_s`` when waiting helps.

``found`` never holds a customer's value: it names a JSON type, a length or a word of a closed vocabulary.

::

    ShopwardError
    ├── BadInput                    the caller's input; nobody else is affected
    │   ├── MalformedInput          not JSON, not UTF-8, truncated
    │   ├── InvalidField            a field is missing, unknown, of a wrong type or out of its range
    │   └── InputTooLarge           a limit on size, depth, length or count
    ├── Conflict                    the same id or key again, with other content
    ├── NotFound                    no such thing here
    ├── Refused                     the caller may not do this
    │   ├── QuotaReached            not now: so much may be seen in a day
    │   └── RevealChallenged        not before this person has proved that it is them
    ├── PolicyInvalid               rules that do not compile or fail their tests; the running ones stay
    ├── ModelInvalid                a model bundle that is damaged, foreign or made for other features
    ├── Misconfigured               a setting that would be unsafe or cannot work
    ├── DocumentUnavailable         a document that cannot be written in that form here
    ├── CorpusSilent                stolen passwords that cannot be asked about now
    └── StoreError                  the log or a table
        ├── StoreLocked             another decision server owns this store
        ├── StoreUnavailable        full, unreachable or broken: nothing was answered, try again
        ├── KeysUnavailable         who keeps the root key does not answer: nothing is opened or sealed
        ├── SealBroken              what is sealed was changed, moved or put back: nothing of it is shown
        └── SnapshotInvalid         a snapshot is refused; state is rebuilt from the log
"""

from __future__ import annotations


class ShopwardError(Exception):
    """Root of the tree: something did not work, and this says what to do about it."""

    code = "error"
    status = 500

    def __init__(
        self,
        message: str,
        *,
        code: str | None = None,
        path: str | None = None,
        expected: str | None = None,
        found: str | None = None,
        hint: str | None = None,
        retry_after_s: float | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        if code is not None:
            self.code = code
        self.path = path
        self.expected = expected
        self.found = found
        self.hint = hint
        self.retry_after_s = retry_after_s

    def diagnostics(self) -> dict[str, str | float]:
        """The parts that are set, by name, for a problem document or a terminal."""
        parts = {
            "path": self.path,
            "expected": self.expected,
            "found": self.found,
            "hint": self.hint,
            "retry_after_s": self.retry_after_s,
        }
        return {name: value for name, value in parts.items() if value is not None}

    def __str__(self) -> str:
        parts = self.diagnostics()
        if not parts:
            return self.message
        return self.message + " (" + "; ".join(f"{name}: {value}" for name, value in parts.items()) + ")"


class BadInput(ShopwardError):
    """The caller's input is at fault; nothing was recorded."""

    code = "bad_input"
    status = 400


class MalformedInput(BadInput):
    """The bytes are not the JSON, UTF-8 or file format that they should be."""

    code = "malformed_input"


class InvalidField(BadInput):
    """A field is missing, unknown, of a wrong type, or outside its closed vocabulary or range."""

    code = "invalid_field"
    status = 422


class InputTooLarge(BadInput):
    """A limit on bytes, depth, string length or list length was passed."""

    code = "input_too_large"
    status = 413


class Conflict(ShopwardError):
    """The same id or idempotency key was used before with other content."""

    code = "conflict"
    status = 409


class NotFound(ShopwardError):
    """There is no such thing here."""

    code = "not_found"
    status = 404


class Refused(ShopwardError):
    """The caller is not known or may not do this."""

    code = "refused"
    status = 403


class QuotaReached(Refused):
    """The caller has seen as much as may be seen for now."""

    code = "quota_reached"
    status = 429


class RevealChallenged(Refused):
    """A person of staff has to prove that it is them before these values are shown.

    Args:
        challenge_id: what to answer, and to come back with.
    """

    code = "reveal_challenged"

    def __init__(self, challenge_id: str) -> None:
        super().__init__(
            "prove that it is you before these values are shown",
            expected="the same ask with challenge_id, once the challenge is passed",
            hint=f"POST /v1/staff/challenges/{challenge_id}/verify",
        )
        self.challenge_id = challenge_id


class PolicyInvalid(ShopwardError):
    """A policy does not compile or fails its own tests; the policy in force stays.

    ``file``, ``line`` and ``column`` are set where its files are at hand.
    """

    code = "policy_invalid"
    status = 422
    file: str | None = None
    line: int | None = None
    column: int | None = None

    def diagnostics(self) -> dict[str, str | float]:
        """The parts that are set, with the place in the files."""
        place = {"file": self.file, "line": self.line, "column": self.column}
        return super().diagnostics() | {name: value for name, value in place.items() if value is not None}


class ModelInvalid(ShopwardError):
    """A model bundle is damaged, of another format or made for other features; nothing of it is used."""

    code = "model_invalid"
    status = 422


class Misconfigured(ShopwardError):
    """A setting would be unsafe or cannot work; the process does not start."""

    code = "misconfigured"


class DocumentUnavailable(ShopwardError):
    """This installation cannot write the document in that form; the others are there."""

    code = "document_unavailable"
    status = 501


class CorpusSilent(ShopwardError):
    """Stolen passwords cannot be asked about just now; who screens one lets it pass."""

    code = "corpus_unreachable"
    status = 503


class StoreError(ShopwardError):
    """The log or a table could not do what was asked."""

    code = "store_error"
    status = 503


class StoreLocked(StoreError):
    """Another decision server owns this store; two would answer differently."""

    code = "store_locked"


class StoreUnavailable(StoreError):
    """The store is full, unreachable or broken; what was asked is not recorded and may be sent again."""

    code = "store_unavailable"


class KeysUnavailable(StoreError):
    """Who keeps the root key of the vault does not answer; nothing is opened or sealed, ask again."""

    code = "vault_keys_unavailable"


class SealBroken(StoreError):
    """Something sealed was changed, moved to another place, put back or cut; nothing of it is shown."""

    code = "seal_broken"
    status = 500


class SnapshotInvalid(StoreError):
    """A snapshot is corrupt or of another version; state is rebuilt from the log instead."""

    code = "snapshot_invalid"
