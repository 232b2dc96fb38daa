"""The page ``/advice``: what the shop tells its customers of fraud, and a form that says whether something is the shop's.

Promise: anybody may read and ask, without a log-in or a script; names, sites, numbers and accounts are those of the profile in force;
where there is none, the advice stands without them and without the form. What was asked is answered and not kept, and no link is
opened. As nobody is known who asks, all of them together are bounded (``ASKED_MAX`` in a minute); over that the page says so and
tells people to wait, and how long. It shows nothing that is not meant for customers: the score and the learned part's version stay inside.
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from starlette.concurrency import run_in_threadpool
from starlette.routing import Route

from shopward.errors import ShopwardError
from shopward.flows.pace import Pace
from shopward.flows.screen import LinkAsked, MessageAsked, SenderAsked
from shopward.http.pages import reader_language
from shopward.http.sessions import form_of

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from shopward.http.pages import Paper
    from shopward.screening import Profile, Screened
    from shopward.service import Shopward

ASKED_MAX: Final = 1_200
"""Questions of everybody in a minute; the longest message takes a few milliseconds, so that all of them leave nine tenths of a core."""
GIVEN_MAX: Final = 4_000
"""Characters of what is asked about."""
_FORM_BYTES_MAX: Final = 65_536
LANGUAGES: Final = {"id": "Bahasa Indonesia", "zh": "中文", "en": "English"}
KINDS: Final = ("link", "sender", "message")
_NO_LINK: Final = "not_a_link"
HERE: Final = Path(__file__).parent
_TEXTS: Final[dict[str, dict[str, Any]]] = tomllib.loads((HERE / "advice.toml").read_text(encoding="utf-8"))


class Answer(NamedTuple):
    """What the form was told.

    Attributes:
        text: what to do.
        level: of the verdict; empty where there is none.
        reasons: in the reader's language.
    """

    text: str
    level: str = ""
    reasons: tuple[str, ...] = ()


class AdvicePage:
    """The handlers.

    Args:
        shopward: its screening and its name.
        paper: writes the page.
    """

    def __init__(self, shopward: Shopward, paper: Paper) -> None:
        self._desk = shopward.screening
        self._clock = shopward.clock
        self._shop = shopward.settings.shop_name
        self._paper = paper
        self._pace = Pace(ASKED_MAX)

    def routes(self) -> list[Route]:
        """Where it answers."""
        return [Route("/advice", self.page, methods=["GET", "POST"])]

    async def page(self, request: Request) -> Response:
        """``GET /advice`` with ``lang``; ``POST /advice``: the form."""
        form = await form_of(request, bytes_max=_FORM_BYTES_MAX) if request.method == "POST" else {}
        wanted = form.get("lang") or request.query_params.get("lang", "")
        language = wanted if wanted in LANGUAGES else reader_language(request)
        profile = await run_in_threadpool(self._profile)
        shop = self._shop if profile is None else profile.spec.name
        domain = "" if profile is None else profile.spec.official_domains[0]
        texts = _filled(_TEXTS[language], shop, domain)
        given = form.get("asked", "").strip()[:GIVEN_MAX]
        kind = form["kind"] if form.get("kind") in KINDS else KINDS[0]
        answer, wait_s = None, 0
        if given and profile is not None:
            wait_s = self._pace.wait_s(self._clock.now_ms())
            answer = Answer(texts["busy"]) if wait_s else await self._answer(kind, given, texts, language)
        page = self._paper.page(
            request, "advice.html", 429 if wait_s else 200, language=language, a=texts, languages=LANGUAGES, kinds=KINDS,
            profile=None if profile is None else profile.spec, given=given, kind=kind, answer=answer, given_max=GIVEN_MAX,
        )  # fmt: skip
        if wait_s:
            page.headers["retry-after"] = str(wait_s)
        return page

    async def _answer(self, kind: str, given: str, texts: dict[str, Any], language: str) -> Answer:
        said, is_message = await run_in_threadpool(self._screened, kind, given, language)
        word = "unknown_message" if is_message and said.verdict == "unknown" else said.verdict
        return Answer(texts[word], said.verdict, tuple(each.text for each in said.reasons))

    def _screened(self, kind: str, given: str, language: str) -> tuple[Screened, bool]:
        """The verdict, and whether it is on a message: people paste all of it as a link, in Chinese without a space."""
        if kind == "sender":
            return self._desk.sender(SenderAsked(given[:2_048]), language), False
        if kind == "link" and len(given.split()) == 1:
            said = self._desk.link(LinkAsked(given), language)
            if _NO_LINK not in {each.code for each in said.reasons}:
                return said, False
        return self._desk.message(MessageAsked(given), language), True

    def _profile(self) -> Profile | None:
        """The one in force. Fails open: advice is good without it."""
        try:
            return self._desk.profile()
        except ShopwardError:
            return None


def _filled(texts: dict[str, Any], shop: str, domain: str) -> dict[str, Any]:
    def fill(text: str) -> str:
        return text.replace("{shop}", shop).replace("{domain}", domain)

    return {
        key: [fill(each) for each in said] if isinstance(said, list) else fill(said)
        for key, said in texts.items()
    }
