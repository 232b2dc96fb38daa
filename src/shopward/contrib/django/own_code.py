"""A code that the shop itself mails, over Django's own mail: the challenge that works wherever the shop can send mail.

Promise: eight digits, ten minutes, five tries, five codes an hour for one account; kept as a keyed hash in the session of
the browser that asked, so that a code which somebody talks out of a customer fits in no other browser. What was proved is
told to Shopward, which then lets the operation through for its own ten minutes; while it is not heard, the session's note
does, for the same time.

Codes and tries are counted in Django's cache: one of a process alone (``LocMemCache``) counts for each process.
"""

from __future__ import annotations

import hmac
import logging
import secrets
import time
from typing import TYPE_CHECKING, Any, Final

from django.core.cache import cache
from django.core.mail import send_mail

from shopward.contrib.django.texts import texts
from shopward.contrib.django.tokens import token

if TYPE_CHECKING:
    from django.http import HttpRequest

GOOD_FOR_S: Final = 600
TRIES: Final = 5
CODES_AN_HOUR: Final = 5
_CODE: Final = "_shopward_code"
_PROVED: Final = "_shopward_proved"
_logger = logging.getLogger("shopward.django")


def can_reach(user: Any) -> bool:
    """Whether there is an address to send to."""
    return bool(getattr(user, "email", ""))


def masked(address: str) -> str:
    """Enough of an address for its owner."""
    name, _, domain = address.partition("@")
    return f"{name[:1]}***@{domain[:1]}***" if domain else ""


def send(request: HttpRequest, user: Any, language: str) -> bool:
    """Mail a new code; whether it left."""
    if _counted(f"shopward.codes.{token('codes', str(user.pk))}", 3600) > CODES_AN_HOUR:
        return False
    code = f"{secrets.randbelow(10**8):08}"
    words = texts(language)
    text = words["mail"].format(code=f"{code[:4]} {code[4:]}", minutes=GOOD_FOR_S // 60)
    try:
        send_mail(words["mail_subject"], text, None, [user.email])
    except OSError:  # fails closed: nobody is let through without a code
        _logger.warning("shopward: a code could not be mailed: is the shop's mail server up?")
        return False
    request.session[_CODE] = {
        "for": str(user.pk),
        "hash": _hash(code, user),
        "until_s": _now_s() + GOOD_FOR_S,
    }
    return True


def is_right(request: HttpRequest, user: Any, typed: str) -> bool:
    """Whether this is the code; each look costs a try, and a right one is used up.

    Both are counted in the cache and not in the session: requests at the same time share it, and a session that lives in a
    cookie (``signed_cookies``) could be played again.
    """
    kept = request.session.get(_CODE)
    if not kept or kept["for"] != str(user.pk) or kept["until_s"] < _now_s():
        return False
    tries = f"shopward.tries.{kept['hash']}"
    if _counted(tries, GOOD_FOR_S) > TRIES or not hmac.compare_digest(
        kept["hash"], _hash(_digits(typed), user)
    ):
        return False
    cache.set(tries, TRIES, GOOD_FOR_S)
    del request.session[_CODE]
    return True


def was_sent(request: HttpRequest) -> bool:
    """Whether a code is out."""
    kept = request.session.get(_CODE)
    return bool(kept) and kept["until_s"] >= _now_s()


def note_proof(request: HttpRequest, type_: str, user: Any) -> None:
    """Keep that this browser proved who it is, for this operation, for ten minutes."""
    request.session[_PROVED] = {"for": str(user.pk), "type": type_, "until_s": _now_s() + GOOD_FOR_S}


def is_proved(request: HttpRequest, type_: str, user: Any) -> bool:
    """Whether that was noted and still holds."""
    kept = request.session.get(_PROVED) if hasattr(request, "session") else None
    if not kept or user is None:
        return False
    whose, until_s = str(getattr(user, "pk", "")), float(kept["until_s"])
    return bool(kept["for"] == whose and kept["type"] == type_) and until_s >= _now_s()


def _counted(key: str, for_s: int) -> int:
    """How often this was counted within its time, this one included."""
    cache.add(key, 0, for_s)
    try:
        return int(cache.incr(key))
    except ValueError:  # it ran out in between: the first of a new time
        cache.set(key, 1, for_s)
        return 1


def _digits(typed: str) -> str:
    return "".join(typed.split())


def _hash(code: str, user: Any) -> str:
    return token("code", f"{user.pk}:{code}")


def _now_s() -> float:
    return time.time()  # noqa: TID251 -- the shop's now
