"""Data of ours and of operators in TOML: the shape that it must have, or a refusal with the place in the file.

Promise: of what the file says the refusal repeats names of fields, and a word where it is none of the few that are allowed.
"""

from __future__ import annotations

from typing import Final, TypeVar

import msgspec

from shopward.errors import InvalidField

WHOLE: Final = "(the file)"
"""The place of what is wrong with all of it."""
Shape = TypeVar("Shape")


def from_toml(text: str, shape: type[Shape], *, refusal: str) -> Shape:
    """What a file's text says; raises ``InvalidField``, with ``refusal`` as what it is not."""
    try:
        return msgspec.toml.decode(text, type=shape)
    except msgspec.ValidationError as wrong:
        expected, _at, place = str(wrong).partition(" - at `$.")
        path = place.rstrip("`") or WHOLE
    except msgspec.DecodeError:
        path, expected = WHOLE, "TOML"
    raise InvalidField(refusal, path=path, expected=expected, found="something else")
