"""What WhatsApp's webhook tells of a line, as one closed set of signals.

Promise: pure. A change that is no signal gives none; one that cannot be read is told apart, since a takeover may be in it. No name and no
message of a customer is kept: of what was sent from elsewhere only that it was.

https://developers.facebook.com/docs/whatsapp/cloud-api/guides/set-up-webhooks
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Final, Literal

import msgspec
from msgspec import Struct

from shopward.values import HOUR_MS, SECOND_MS

if TYPE_CHECKING:
    from collections.abc import Callable

Severity = Literal["info", "medium", "high", "critical"]
Work = Literal["pin", "registration", "partner", "template", "sending"]
"""What staff can announce."""
Kind = Literal[
    "pin_changed", "pin_reset_requested", "pin_removed", "offboarded", "reconnected", "re_registered", "disconnected_unused",
    "partner_joined", "partner_gone", "account_deleted", "violation", "restricted", "banned", "reinstated", "quality_fell",
    "account_alert", "template_changed", "template_quality_fell", "sent_from_elsewhere",
]  # fmt: skip
SEVERITIES: Final[dict[Kind, Severity]] = {
    "pin_changed": "critical", "pin_reset_requested": "critical", "pin_removed": "critical", "offboarded": "critical",
    "reconnected": "info", "re_registered": "critical", "disconnected_unused": "info", "partner_joined": "high",
    "partner_gone": "high", "account_deleted": "critical", "violation": "high", "restricted": "high", "banned": "high",
    "reinstated": "info", "quality_fell": "medium", "account_alert": "medium", "template_changed": "high",
    "template_quality_fell": "medium", "sent_from_elsewhere": "high",
}  # fmt: skip
EXPLAINS: Final[dict[Work, frozenset[Kind]]] = {
    "pin": frozenset({"pin_changed", "pin_reset_requested", "pin_removed"}),
    "registration": frozenset(
        {"offboarded", "re_registered", "pin_changed", "account_deleted", "partner_gone"}
    ),
    "partner": frozenset({"partner_joined", "partner_gone"}),
    "template": frozenset({"template_changed"}),
    "sending": frozenset({"sent_from_elsewhere"}),
}
"""Which signals an announced work explains."""
_TAKEN_OVER: Final = frozenset({
    "USER_RE_REGISTERED", "CHANGE_NUMBER", "BUSINESS_DOWNGRADE", "ACCOUNT_DISCONNECTED",
})  # fmt: skip
_WORSE: Final = {"GREEN": 0, "UNKNOWN": 0, "YELLOW": 1, "RED": 2}


class Signal(Struct, frozen=True, omit_defaults=True):
    """Something that was told.

    Attributes:
        key: the same for the same thing told again.
        account: the business account's id at the platform.
        number: in digits, where one number is meant.
        phone_id: the platform's id of that number.
        detail: a word of the platform's own.
        ticket: the announced work that explains it; empty where nothing does.
    """

    key: str
    kind: Kind
    at_ms: int
    account: str = ""
    number: str = ""
    phone_id: str = ""
    detail: str = ""
    ticket: str = ""

    @property
    def severity(self) -> Severity:
        """How much it matters: what was announced does not."""
        return "info" if self.ticket else SEVERITIES[self.kind]


class _Disconnection(Struct, frozen=True):
    reason: str = ""


class _Ban(Struct, frozen=True):
    waba_ban_state: str | list[str] = ""


class _Metadata(Struct, frozen=True):
    display_phone_number: str = ""
    phone_number_id: str = ""


class _Value(Struct, frozen=True):
    event: str = ""
    phone_number: str = ""
    display_phone_number: str = ""
    disconnection_info: _Disconnection = _Disconnection()
    ban_info: _Ban = _Ban()
    alert_type: str = ""
    entity_type: str = ""
    entity_id: str | int = ""
    message_template_name: str = ""
    previous_quality_score: str = ""
    new_quality_score: str = ""
    metadata: _Metadata = _Metadata()
    message_echoes: list[dict[str, object]] = []


_value: Final = msgspec.json.Decoder(_Value).decode


def signal_of(field: str, raw: bytes, *, account: str, at_ms: int) -> Signal | None:
    """The signal of one change of the webhook; ``None`` where it is none.

    Raises:
        msgspec.MsgspecError: it has another shape.
    """
    value = _value(raw)
    told = _READERS[field](value)
    if told is None:
        return None
    kind, detail = told
    number = digits(value.display_phone_number or value.phone_number or value.metadata.display_phone_number)
    phone_id = value.metadata.phone_number_id
    if value.entity_type == "PHONE_NUMBER":
        phone_id = str(value.entity_id)
    # an app that sends all day says the same thing all day: once an hour is enough
    when = at_ms // HOUR_MS if kind == "sent_from_elsewhere" else at_ms // SECOND_MS
    same = "\n".join((account[:64], number, phone_id, kind, detail, str(when)))
    return Signal(
        hashlib.sha256(same.encode()).hexdigest()[:32], kind, at_ms, account[:64], number, phone_id[:64], detail[:64]
    )  # fmt: skip


def digits(number: str) -> str:
    """A number as its digits; at most 20."""
    return "".join(each for each in number if each in "0123456789")[:20]


def _security(value: _Value) -> tuple[Kind, str] | None:
    kind = _SECURITY.get(value.event)
    return None if kind is None else (kind, value.event)


def _account(value: _Value) -> tuple[Kind, str] | None:
    if value.event == "PARTNER_REMOVED":
        reason = value.disconnection_info.reason
        if reason in _TAKEN_OVER:
            return "re_registered", reason
        return ("disconnected_unused" if reason.endswith("_INACTIVITY") else "partner_gone"), reason
    if value.event == "DISABLED_UPDATE":
        state = value.ban_info.waba_ban_state
        words = [state] if isinstance(state, str) else state
        return ("reinstated" if "REINSTATE" in words else "banned"), ",".join(words)
    kind = _ACCOUNT.get(value.event)
    return None if kind is None else (kind, value.event)


def _quality(value: _Value) -> tuple[Kind, str] | None:
    return ("quality_fell", value.event) if value.event in ("FLAGGED", "DOWNGRADE") else None


def _alert(value: _Value) -> tuple[Kind, str] | None:
    return ("account_alert", value.alert_type) if value.alert_type in _ALERTS else None


def _template(value: _Value) -> tuple[Kind, str] | None:
    return ("template_changed", value.message_template_name) if value.event in _MAY_BE_SENT else None


def _components(value: _Value) -> tuple[Kind, str] | None:
    return "template_changed", value.message_template_name


def _template_quality(value: _Value) -> tuple[Kind, str] | None:
    before, after = (_WORSE.get(word, 0) for word in (value.previous_quality_score, value.new_quality_score))
    return ("template_quality_fell", value.message_template_name) if after > before else None


def _echo(value: _Value) -> tuple[Kind, str] | None:
    return ("sent_from_elsewhere", "") if value.message_echoes else None


_SECURITY: Final[dict[str, Kind]] = {
    "PIN_CHANGED": "pin_changed", "PIN_RESET_REQUEST": "pin_reset_requested", "PIN_REQUEST_SUCCESS": "pin_removed",
    "PIN_RESET_SUCCESS": "pin_removed",
}  # fmt: skip
_ACCOUNT: Final[dict[str, Kind]] = {
    "ACCOUNT_OFFBOARDED": "offboarded", "ACCOUNT_RECONNECTED": "reconnected", "PARTNER_ADDED": "partner_joined",
    "PARTNER_APP_INSTALLED": "partner_joined", "PARTNER_APP_UNINSTALLED": "partner_gone", "ACCOUNT_DELETED": "account_deleted",
    "ACCOUNT_VIOLATION": "violation", "ACCOUNT_RESTRICTION": "restricted",
}  # fmt: skip
_ALERTS: Final = frozenset({"PROFILE_PICTURE_LOST", "OBA_REJECTED"})
_MAY_BE_SENT: Final = frozenset({"APPROVED", "REINSTATED", "PENDING"})
"""States of a template that somebody submitted, or that can be sent."""
_READERS: Final[dict[str, Callable[[_Value], tuple[Kind, str] | None]]] = {
    "security": _security, "account_update": _account, "phone_number_quality_update": _quality, "account_alerts": _alert,
    "message_template_status_update": _template, "message_template_components_update": _components,
    "message_template_quality_update": _template_quality, "smb_message_echoes": _echo,
}  # fmt: skip
FIELDS: Final = frozenset(_READERS)
"""Fields of the webhook that speak of a line."""
