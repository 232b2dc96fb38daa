"""The page ``/privacy``: what is done with personal data, which rights and duties there are; for everybody, in three languages.

Promise: it is made of the activities in force and the kinds of partners that are active, and names no person and no partner. What is
done with data of staff or attackers alone is not for customers and not on it. Nobody is known who reads it, so the records are
read once in ``FRESH_MS`` however many ask. Where they cannot be read the page fails as a whole: half of it would mislead.
"""

from __future__ import annotations

import asyncio
import tomllib
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from starlette.concurrency import run_in_threadpool
from starlette.routing import Route

from shopward.http.account_words import HERE, filled
from shopward.http.advice import LANGUAGES
from shopward.http.pages import reader_language
from shopward.processing.wording import said, word
from shopward.values import SECOND_MS

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from shopward.http.pages import Paper
    from shopward.processing.store import InForce
    from shopward.service import Shopward

FRESH_MS: Final = 10 * SECOND_MS
PARTNERS_MAX: Final = 500
_THEIRS: Final = frozenset({"customers", "recipients"})
_TEXTS: Final[dict[str, dict[str, Any]]] = tomllib.loads((HERE / "privacy.toml").read_text(encoding="utf-8"))


class Use(NamedTuple):
    """An activity, in the reader's language."""

    title: str
    basis: str
    law: str
    data: str
    recipients: str
    transfers: str
    keep: str
    keep_days: int
    measures: str


class PrivacyPage:
    """The handler.

    Args:
        shopward: its register, its partners and its name.
        paper: writes the page.
    """

    def __init__(self, shopward: Shopward, paper: Paper) -> None:
        self._processing = shopward.processing
        self._partners = shopward.partners
        self._clock = shopward.clock
        self._shop = shopward.settings.shop_name
        self._paper = paper
        self._read_ms = 0
        self._known: tuple[list[InForce], list[str]] = ([], [])
        self._reading = asyncio.Lock()

    def routes(self) -> list[Route]:
        """Where it answers."""
        return [Route("/privacy", self.page, methods=["GET"])]

    async def page(self, request: Request) -> Response:
        """``GET /privacy?lang=``."""
        wanted = request.query_params.get("lang", "")
        language = wanted if wanted in LANGUAGES else reader_language(request)
        async with self._reading:  # who comes meanwhile waits for the same reading
            now_ms = self._clock.now_ms()
            if not self._read_ms <= now_ms < self._read_ms + FRESH_MS:
                self._known, self._read_ms = await run_in_threadpool(self._read), now_ms
        activities, kinds = self._known
        uses = [_use(each, language) for each in activities if _THEIRS & set(each.activity.subjects)]
        return self._paper.page(
            request, "privacy.html", language=language, languages=LANGUAGES, a=filled(_TEXTS[language], self._shop),
            uses=uses, partners=[word("partner", each, language) for each in kinds],
        )  # fmt: skip

    def _read(self) -> tuple[list[InForce], list[str]]:
        partners = self._partners.listed(after="", limit=PARTNERS_MAX)
        kinds = sorted({each.kind for each in partners if each.state == "active"})
        return self._processing.activities(), list(kinds)


def _use(found: InForce, language: str) -> Use:
    activity, between = found.activity, "、" if language == "zh" else ", "
    return Use(
        str(getattr(activity.title, language)), word("basis", activity.basis, language), activity.law,
        between.join(word("data", each, language) for each in activity.data),
        between.join(said(each, language) for each in activity.recipients), between.join(activity.transfers),
        said(activity.keep, language), activity.keep_days, said(activity.measures, language),
    )  # fmt: skip
