"""What is kept of a published profile; plain values, so that the stories can speak of them and import no database."""

from __future__ import annotations

from typing import NamedTuple


class ProfileRow(NamedTuple):
    """A publication: its number, the profile's version and body (JSON), who published it and when."""

    number: int
    version: str
    body: str
    published_by: str
    published_ms: int
