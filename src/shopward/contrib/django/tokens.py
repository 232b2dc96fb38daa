"""Keyed tokens of the shop: what Shopward hears in place of addresses, codes and passwords.

Promise: under the shop's ``SECRET_KEY`` and one purpose the same value gives the same token, and without the key it gives
nothing away. A new ``SECRET_KEY`` makes new tokens: counts over old ones end, and no account is lost.
"""

from __future__ import annotations

from typing import Final

from django.conf import settings
from django.utils.crypto import salted_hmac

from shopward.client import PageTokens

PAGE_FIELD: Final = "shopward_page"


def token(purpose: str, value: str) -> str:
    """128 bits as hexadecimal; empty where there is no value."""
    return salted_hmac(f"shopward.{purpose}", value, algorithm="sha256").hexdigest()[:32] if value else ""


def page_tokens() -> PageTokens:
    """What pages carry, under the key of the shop."""
    return PageTokens(
        salted_hmac("shopward.page", "key", secret=settings.SECRET_KEY, algorithm="sha256").digest()
    )
