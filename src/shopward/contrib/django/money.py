"""Amounts of Django shops (``Decimal``, major units) as the contract's whole minor units."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from typing import Any, Final

_DIGITS: Final = {
    **dict.fromkeys(
        [
            "BIF",
            "CLP",
            "DJF",
            "GNF",
            "ISK",
            "JPY",
            "KMF",
            "KRW",
            "PYG",
            "RWF",
            "UGX",
            "UYI",
            "VND",
            "VUV",
            "XAF",
            "XOF",
            "XPF",
        ],
        0,
    ),
    **dict.fromkeys(["BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"], 3),
}
"""ISO 4217, where it is not two."""


def amount(value: Decimal, currency: str) -> dict[str, Any]:
    """``amount_minor`` and ``currency`` of an event's transaction."""
    minor = (value * 10 ** _DIGITS.get(currency, 2)).to_integral_value(ROUND_HALF_UP)
    return {"amount_minor": max(0, int(minor)), "currency": currency}
