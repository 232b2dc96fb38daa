"""What is guarded: which view is which event, what of the request stands in it, and what its answer meant.

Promise: a ``GuardedView`` is data. Nothing here asks or stops; readers of requests and answers are pure but for the shop's
own objects that they look at.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

NOBODYS: Final = frozenset({"login", "gift_card_check", "password_reset_request", "partner_pull"})
"""Events that need no account."""
OF_ACCOUNTS: Final = frozenset(
    {
        "password_change", "password_reset", "email_change", "phone_change", "profile_update", "address_add", "address_change",
        "mfa_enroll", "mfa_remove", "device_link", "identity_link", "payee_add", "payment_method_add", "api_token_create",
    }
)  # fmt: skip
"""Changes of an account: where nobody is signed in there is none to change, and the view says so itself."""

Applies = Callable[["HttpRequest"], bool]
Reads = Callable[["HttpRequest", Mapping[str, Any]], Mapping[str, Any]]
"""From a request and the view's keywords to parts of an event (``transaction``, ``changes``)."""
Names = Callable[["HttpRequest", Mapping[str, Any]], Any]
"""From the same to whose event it is: an account, or a name that was typed."""
Outcome = Callable[["HttpRequest", "HttpResponse"], bool | None]
"""Whether what was asked for happened; ``None`` where nothing was tried."""


def is_post(request: HttpRequest) -> bool:
    """Whether something is to be done."""
    return bool(request.method == "POST")


def who_is_signed_in(request: HttpRequest, _kwargs: Mapping[str, Any]) -> Any:
    """Whose session it is; ``None`` for a visitor."""
    return request.user if request.user.is_authenticated else None


def nothing_more(_request: HttpRequest, _kwargs: Mapping[str, Any]) -> Mapping[str, Any]:
    """No further parts."""
    return {}


def by_form(_request: HttpRequest, response: HttpResponse) -> bool | None:
    """What the answer of a Django form view means: it redirects where it worked, and shows its form again where not."""
    if 300 <= response.status_code < 400:
        return True
    if response.status_code >= 400:
        return False
    form = (getattr(response, "context_data", None) or {}).get("form")
    return not form.errors if form is not None else True


@dataclass(frozen=True)
class GuardedView:
    """One view and the event that it is.

    Attributes:
        type: of the event.
        applies: to which requests of the view.
        user: whose event it is.
        parts: further parts of the event.
        outcome: what the answer meant, for the event that is told afterwards.
        moves_money: asked in two steps, authorise and capture, before the view runs.
        tells_secrets: the answer itself is what a guesser wants (is this code a card?): asked again before it leaves.
    """

    type: str
    applies: Applies = is_post
    user: Names = who_is_signed_in
    parts: Reads = nothing_more
    outcome: Outcome = by_form
    moves_money: bool = False
    tells_secrets: bool = False
