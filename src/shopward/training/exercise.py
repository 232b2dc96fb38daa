"""Exercises: mails of ours that look like phishing, to persons of staff, and what each did with his.

Promise: a link is one person's own, and of its token only a hash is kept. Nothing is fetched when a mail is opened, so opening one is
not known; opening the link and reporting it are, each once. The texts name nobody but the shop.
"""

from __future__ import annotations

import base64
import hashlib
import re
import tomllib
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple, get_args

if TYPE_CHECKING:
    from collections.abc import Callable

Lure = Literal["parcel", "password", "invoice"]
LURES: Final[tuple[Lure, ...]] = get_args(Lure)
MailState = Literal["waiting", "sending", "sent", "failed"]
TOKEN_BYTES: Final = 20
"""160 random bits: nobody clicks on behalf of another."""
PATH: Final = "/exercises/"
_TOKEN: Final = re.compile(rf"{PATH}([a-z2-7]{{32}})(?![a-z2-7])")


class Exercise(NamedTuple):
    """One exercise: which text, when, by whom."""

    id: str
    lure: str
    by: str
    at_ms: int


class LureMail(NamedTuple):
    """One mail of an exercise; the address is not kept.

    Attributes:
        digest: of the token in the link; empty before there is one.
        state: ``waiting`` before it is handed in, ``sending`` where a crash left open whether it went out.
        clicked_ms: when the link was first opened; 0 before.
        reported_ms: when it was first reported; 0 before.
    """

    exercise: str
    person: str
    digest: str
    language: str
    state: str
    clicked_ms: int = 0
    reported_ms: int = 0


class Written(NamedTuple):
    """The text of a mail."""

    subject: str
    text: str


def new_token(entropy: Callable[[int], bytes]) -> str:
    """What stands in a link."""
    return base64.b32encode(entropy(TOKEN_BYTES)).decode().lower()


def digest_of(token: str) -> str:
    """What is kept of it; of random bits a plain hash tells nothing."""
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()


def token_in(text: str) -> str | None:
    """The token of the first link of an exercise in a text, as somebody passed it on."""
    found = _TOKEN.search(text)
    return None if found is None else found[1]


def written(lure: str, language: str, *, shop: str, link: str) -> Written:
    """A mail."""
    said = _texts()[lure][language]
    return Written(said["subject"], said["body"].strip().format(shop=shop, link=link) + "\n")


def shown(lure: str, language: str, *, shop: str) -> dict[str, Any]:
    """The texts of the page that who opened the link sees."""
    page: dict[str, Any] = _texts()["page"][language]
    return page | {"lead": page["lead"].format(shop=shop), "tells_of": _texts()[lure][language]["tells"]}


@cache
def _texts() -> dict[str, Any]:
    return tomllib.loads(files("shopward.training").joinpath("lures.toml").read_text(encoding="utf-8"))
