"""The ledger over HTTP: balances, transfers by account and by what they are about, and postings by hand.

Promise: reading is the analyst's, posting the administrator's; amounts are whole minor units, debits above zero and credits
below. A page's ``next`` is the ``before`` or ``after`` of the page that follows, if any.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgspec import Struct
from starlette.concurrency import run_in_threadpool
from starlette.routing import Route

from shopward.errors import InvalidField
from shopward.flows.books import Posting
from shopward.http.calls import decoded, json_answer, needed_id
from shopward.http.orders import limit_of
from shopward.ledger.accounts import parse_account
from shopward.values import to_rfc3339

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from shopward.http.calls import Calls
    from shopward.ledger import Recorded
    from shopward.ledger.rows import Ending
    from shopward.service import Shopward

ABOUT: Final = ("account", "claim", "incident", "order", "transaction")
"""By what transfers are asked for: one of these."""
TEXT_MAX: Final = 128
SEQ_MAX: Final = 2**53


class EntryView(Struct):
    """A line: a debit above zero, a credit below, in minor units."""

    account: str
    currency: str
    amount_minor: int


class TransferView(Struct, omit_defaults=True):
    """A transfer; ``ended`` says whether it was posted, voided or reversed, and ``ended_by`` by which transfer."""

    id: str
    seq: int
    at: str
    key: str
    word: str
    stage: str
    entries: list[EntryView]
    refs: dict[str, str]
    ends: str = ""
    ended: str = ""
    ended_by: str = ""


class Transfers(Struct):
    """A page of transfers, newest first."""

    transfers: list[TransferView]
    next: int | None


class BalanceView(Struct):
    """Where an account stands in a currency; what is pending does not count yet and binds already."""

    account: str
    currency: str
    posted_minor: int
    pending_debit_minor: int
    pending_credit_minor: int


class Balances(Struct):
    """A page of accounts, by name."""

    balances: list[BalanceView]
    next: str | None


class LedgerCalls:
    """The handlers.

    Args:
        shopward: the open engine.
        calls: reads requests.
    """

    def __init__(self, shopward: Shopward, calls: Calls) -> None:
        self._desk = shopward.books
        self._calls = calls

    def routes(self) -> list[Route]:
        """Where they answer."""
        return [
            Route("/v1/ledger/balances", self.balances, methods=["GET"]),
            Route("/v1/ledger/transfers", self.transfers, methods=["GET"]),
            Route("/v1/ledger/transfers/{id}", self.transfer, methods=["GET"]),
            Route("/v1/ledger/postings", self.post, methods=["POST"]),
        ]

    async def balances(self, request: Request) -> Response:
        """``GET /v1/ledger/balances?after=&limit=``."""
        self._calls.caller(request, "analyst")
        limit = limit_of(request)
        account, _slash, currency = (_text(request, "after") or "").partition("/")
        found = await run_in_threadpool(
            lambda: self._desk.balances(after=(account, currency), limit=limit + 1)
        )
        shown = [BalanceView(*each) for each in found[:limit]]
        following = f"{shown[-1].account}/{shown[-1].currency}" if len(found) > limit else None
        return json_answer(Balances(shown, following))

    async def transfers(self, request: Request) -> Response:
        """``GET /v1/ledger/transfers?account=|claim=|incident=|order=|transaction=&before=&limit=``."""
        self._calls.caller(request, "analyst")
        limit, before = limit_of(request), _before(request)
        kind, ref = _about(request)
        if kind == "account":
            account = parse_account(ref, path="account")
            found = await run_in_threadpool(
                lambda: self._desk.of_account(account, before=before, limit=limit + 1)
            )
        else:
            found = await run_in_threadpool(
                lambda: self._desk.about(kind=kind, ref=ref, before=before, limit=limit + 1)
            )
        shown = [transfer_view(each, None) for each in found[:limit]]
        return json_answer(Transfers(shown, shown[-1].seq if len(found) > limit else None))

    async def transfer(self, request: Request) -> Response:
        """``GET /v1/ledger/transfers/{id}``."""
        self._calls.caller(request, "analyst")
        name = needed_id(request, "transfer")
        made, ending = await run_in_threadpool(self._desk.transfer, name)
        return json_answer(transfer_view(made, ending))

    async def post(self, request: Request) -> Response:
        """``POST /v1/ledger/postings``: 201, or 200 where the key was used for the same body before."""
        caller = self._calls.caller(request, "admin")
        asked: Posting = decoded(await self._calls.body(request, caller), Posting)  # type: ignore[arg-type] # a union
        made = await run_in_threadpool(self._desk.post, caller, asked)
        return json_answer(transfer_view(made, None), 200 if made.is_replay else 201)


def transfer_view(made: Recorded, ending: Ending | None) -> TransferView:
    """What is shown of a transfer."""
    return TransferView(
        made.id, made.seq, to_rfc3339(made.at_ms), made.key, made.word, made.stage.value,
        [EntryView(str(each.account), each.currency, each.amount_minor) for each in made.entries], made.refs, made.ends,
        "" if ending is None else ending.stage.value, "" if ending is None else ending.by,
    )  # fmt: skip


def _about(request: Request) -> tuple[str, str]:
    asked = [(name, value) for name in ABOUT if (value := _text(request, name)) is not None]
    if len(asked) == 1:
        return asked[0]
    raise InvalidField(
        "transfers are asked for by one thing", path="account", expected="one of " + ", ".join(ABOUT),
        found=f"{len(asked)} of them",
    )  # fmt: skip


def _text(request: Request, name: str) -> str | None:
    given = request.query_params.get(name)
    if given is not None and not (0 < len(given) <= TEXT_MAX and given.isprintable()):
        raise InvalidField(
            "not an id", path=name, expected=f"1 to {TEXT_MAX} printable characters", found="another text"
        )
    return given


def _before(request: Request) -> int | None:
    given = request.query_params.get("before")
    if given is None:
        return None
    if given.isascii() and given.isdigit() and 0 < int(given[:17]) <= SEQ_MAX:
        return int(given[:17])
    raise InvalidField("not a place", path="before", expected="the next of an answer", found="another text")
