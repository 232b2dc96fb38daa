"""The range protocol of Have I Been Pwned: five digits of a SHA-1 digest go over, all digests under them come back.

Promise: one who asks tells 20 of 160 bits and learns the rest at home (k-anonymity); padding hides how many there were.
Lines are ``SUFFIX:COUNT``, suffixes of 35 hexadecimal digits in capitals; a count of 0 is padding. Pure.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from shopward.errors import InvalidField

if TYPE_CHECKING:
    import random
    from collections.abc import Iterable, Iterator

PADDED_MIN: Final = 800
PADDED_MAX: Final = 1_000
"""A padded answer has so many lines at least, like those of Have I Been Pwned; a longer one is not padded."""
SUFFIX_DIGITS: Final = 35
_COUNT_DIGITS_MAX: Final = 18
_PREFIX: Final = re.compile(r"[0-9A-Fa-f]{5}")


def prefix_of(text: str) -> str:
    """Five hexadecimal digits in capitals; raises ``InvalidField`` for any other text."""
    if _PREFIX.fullmatch(text) is None:
        raise InvalidField(
            "not a range",
            path="prefix",
            expected="the first five hexadecimal digits of a SHA-1 digest",
            found="another text",
        )
    return text.upper()


def range_body(known: Iterable[tuple[str, int]], *, padding: random.Random | None = None) -> bytes:
    """The answer for a range.

    Args:
        known: suffixes and counts, in order.
        padding: where the lines that stand for nothing come from; ``None`` for none.
    """
    lines = [f"{suffix}:{count}" for suffix, count in known]
    if padding is not None:
        wanted = padding.randint(PADDED_MIN, PADDED_MAX)
        lines += [
            f"{padding.getrandbits(4 * SUFFIX_DIGITS):0{SUFFIX_DIGITS}X}:0"
            for _ in range(wanted - len(lines))
        ]
        lines.sort()
    return "\r\n".join(lines).encode("ascii")


def count_in(body: bytes, suffix: str) -> int:
    """The count of a suffix in an answer; 0 where it is not in it, or as padding. Lines that are no records count as nothing."""
    wanted = suffix.upper().encode("ascii") + b":"
    at = body.upper().find(wanted)
    if at < 0 or (at > 0 and body[at - 1] not in b"\r\n"):
        return 0
    figure = body[at + len(wanted) :].split(None, 1)[:1]
    return _figure(figure[0]) if figure else 0


def lines_in(body: bytes) -> Iterator[tuple[str, int]]:
    """Suffixes and counts of an answer; padding and lines that are no records are left out."""
    for line in body.splitlines():
        suffix, _, count = line.partition(b":")
        times = _figure(count.strip())
        if len(suffix) == SUFFIX_DIGITS and suffix.isalnum() and times:
            yield suffix.decode("ascii").upper(), times


def _figure(digits: bytes) -> int:
    """A count; 0 for what is none, and for so many digits that Python refuses to read them."""
    return int(digits) if digits.isdigit() and len(digits) <= _COUNT_DIGITS_MAX else 0
