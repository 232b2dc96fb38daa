"""What a step of a playbook may name of ours: calls of the HTTP API, as data.

Promise: a deed is a call with a body to start from, never more: an order is a dry run. ``__incident__:value`` stands for the
incident and ``__review__:value`` for a day from now; what a person has to fill in stands in angle brackets.
"""

from __future__ import annotations

from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final, Literal

import msgspec
from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Mapping

INCIDENT: Final = "__incident__:value"
REVIEW: Final = "__review__:value"


class Deed(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A call: ``path`` and ``body`` may hold the two variables."""

    method: Literal["GET", "POST", "PUT"]
    path: str
    body: dict[str, Any] = {}

    def of(self, incident: str, *, review_at: str) -> Deed:
        """The call for one incident; an order is looked at again at ``review_at``."""
        body = msgspec.json.encode(self.body).decode().replace(INCIDENT, incident).replace(REVIEW, review_at)
        return Deed(self.method, self.path.replace(INCIDENT, incident), msgspec.json.decode(body))


DEEDS: Final[Mapping[str, Deed]] = msgspec.toml.decode(
    files("shopward.incidents.playbooks").joinpath("deeds.toml").read_bytes(), type=dict[str, Deed]
)
