"""A profile from TOML or JSON: read within its limits, short forms written out, refused with the path of what is wrong.

Short forms that people write: ``partners = ["jne.co.id"]`` (a domain is its own name; a name alone is fine, too),
``order_pattern = "..."`` (one instead of a list), ``official_senders`` as a table of lists by channel, and a sender's ``id``,
``value``, ``number``, ``address``, ``account`` or ``name`` for ``sender``.
"""

from __future__ import annotations

import tomllib
from typing import Any, Final

import msgspec

from shopward.errors import InputTooLarge, InvalidField, MalformedInput
from shopward.screening.channels import channel_word
from shopward.screening.profile.profile import Profile
from shopward.screening.profile.spec import ProfileSpec

PROFILE_BYTES_MAX: Final = 1_048_576
_SENDER_WORDS: Final = ("id", "value", "number", "address", "account", "name", "phone", "email", "handle")


def load_profile(raw: bytes) -> Profile:
    """The profile that a TOML file holds; raises ``BadInput``."""
    if len(raw) > PROFILE_BYTES_MAX:
        raise InputTooLarge("the profile is too large", expected=f"at most {PROFILE_BYTES_MAX} bytes")
    try:
        said = tomllib.loads(raw.decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise MalformedInput("the profile is not UTF-8", expected="TOML in UTF-8") from None
    except (tomllib.TOMLDecodeError, RecursionError) as wrong:
        raise MalformedInput("the profile is not TOML", expected="TOML 1.0", found=str(wrong)[:100]) from None
    return profile_of(said)


def profile_of(said: Any) -> Profile:
    """The profile that decoded TOML or JSON says; raises ``BadInput``."""
    try:
        spec = msgspec.convert(_written_out(said), ProfileSpec)
    except msgspec.ValidationError as refusal:
        text, _, path = str(refusal).partition(" - at `$")
        raise InvalidField(
            "the profile cannot be used", path=path.strip("`.") or None, expected=text[:160],
            hint="see docs/screening.md for the fields of a profile",
        ) from None  # fmt: skip
    return Profile(spec)


def _written_out(said: Any) -> Any:
    if not isinstance(said, dict):
        return said
    said = dict(said)
    if isinstance(said.get("order_pattern"), str):
        said["order_pattern"] = [said["order_pattern"]]
    if isinstance(said.get("official_senders"), dict):
        said["official_senders"] = [
            {"channel": channel, "sender": each}
            for channel, senders in said["official_senders"].items()
            for each in (senders if isinstance(senders, list) else [senders])
        ]
    if isinstance(said.get("official_senders"), list):
        said["official_senders"] = [_sender(each) for each in said["official_senders"]]
    if isinstance(said.get("partners"), list):
        said["partners"] = [_partner(each) for each in said["partners"]]
    return said


def _partner(said: Any) -> Any:
    if isinstance(said, str):
        return {"name": said[:80], "domains": [said] if "." in said else []}
    if isinstance(said, dict):
        said = dict(said)
        if isinstance(said.get("domain"), str):
            said["domains"] = [said.pop("domain"), *said.get("domains", ())]
        if isinstance(said.get("senders"), list):
            said["senders"] = [_sender(each) for each in said["senders"]]
        if "name" not in said and said.get("domains"):
            said["name"] = said["domains"][0]
    return said


def _sender(said: Any) -> Any:
    if isinstance(said, str):
        channel, colon, sender = said.partition(":")
        return {"channel": channel_word(channel), "sender": sender.strip()} if colon else said
    if isinstance(said, dict):
        said = dict(said)
        words = [word for word in _SENDER_WORDS if word in said]
        if "sender" not in said and len(words) == 1:
            said["sender"] = said.pop(words[0])
        if isinstance(said.get("channel"), str):
            said["channel"] = channel_word(said["channel"])
    return said
