"""django-oscar 4: passwords, e-mail, addresses, vouchers, the order; and gift cards of django-oscar-accounts.

Promise: what is told of a voucher or card is a token of its code. A delivery address is new where none of the customer's
earlier orders went there; then placing the order is a change of address first and a payment second, as a thief's order is.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from shopward.contrib.django.guards import GuardedView, is_post
from shopward.contrib.django.money import amount
from shopward.contrib.django.presets.accounts import changed_email, who_is_in_the_link, who_is_typed
from shopward.contrib.django.tokens import token

if TYPE_CHECKING:
    from collections.abc import Mapping

    from django.http import HttpRequest, HttpResponse


def guards() -> dict[str, tuple[GuardedView, ...]]:
    """View names of oscar's own URLs."""
    return {
        "customer:change-password": (GuardedView("password_change"),),
        "customer:profile-update": (
            GuardedView("email_change", applies=_changes_email, parts=changed_email),
        ),
        "customer:address-create": (GuardedView("address_add", parts=_typed_address),),
        "customer:address-detail": (GuardedView("address_change", parts=_typed_address),),
        "password-reset": (GuardedView("password_reset_request", user=who_is_typed("email")),),
        "password-reset-confirm": (GuardedView("password_reset", user=who_is_in_the_link),),
        "basket:vouchers-add": (
            GuardedView(
                "gift_card_check", parts=card_of("code"), outcome=_voucher_exists, tells_secrets=True
            ),
        ),
        "checkout:preview": (
            GuardedView("address_change", applies=_places_order_to_new_address, parts=_order_address),
            GuardedView(
                "payment", applies=_places_order, parts=_payment, outcome=_order_placed, moves_money=True
            ),
        ),
    }


def gift_card_guards() -> dict[str, tuple[GuardedView, ...]]:
    """django-oscar-accounts has no URLs of its own: a shop that gives them these names is guarded by itself."""
    shows = GuardedView("gift_card_check", parts=card_of("code"), outcome=_card_shown, tells_secrets=True)
    takes = GuardedView("gift_card_check", parts=card_of("code"), tells_secrets=True)
    return {"giftcard-balance": (shows,), "giftcard-use": (takes,)}


def card_of(field: str) -> Any:
    """A reader of the code that was typed into a field, as a token."""

    def read(request: HttpRequest, _kwargs: Mapping[str, Any]) -> Mapping[str, Any]:
        code = request.POST.get(field, "").replace("-", "").strip().upper()
        return {"transaction": {"instrument": "gift_card", "instrument_id": token("card", code)}}

    return read


# --- addresses ---------------------------------------------------------------------------------------------------

_ADDRESS = ("line1", "line2", "line3", "line4", "state", "postcode")


def _typed_address(request: HttpRequest, _kwargs: Mapping[str, Any]) -> Mapping[str, Any]:
    return _moved_to({name: request.POST.get(name, "") for name in _ADDRESS})


def _order_address(request: HttpRequest, _kwargs: Mapping[str, Any]) -> Mapping[str, Any]:
    return _moved_to(_chosen_address(request))


def _moved_to(address: Mapping[str, str]) -> Mapping[str, Any]:
    return {"changes": [{"field": "address", "new_token": token("address", _one_line(address))}]}


def _one_line(address: Mapping[str, str]) -> str:
    return "|".join(" ".join((address.get(name) or "").split()).lower() for name in _ADDRESS)


def _chosen_address(request: HttpRequest) -> dict[str, str]:
    """Where the order under way goes: typed at the checkout, or taken from the address book."""
    from oscar.core.loading import get_class, get_model  # noqa: PLC0415 -- only where oscar is installed

    checkout = get_class("checkout.utils", "CheckoutSessionData")(request)
    typed = checkout.new_shipping_address_fields()
    if typed:
        return {name: typed.get(name) or "" for name in _ADDRESS}
    kept = get_model("address", "UserAddress").objects.filter(pk=checkout.shipping_user_address_id()).first()
    return {name: getattr(kept, name, "") or "" for name in _ADDRESS} if kept is not None else {}


def _places_order_to_new_address(request: HttpRequest) -> bool:
    """Whether the customer has had things delivered, and never there."""
    if not _places_order(request) or not request.user.is_authenticated:
        return False
    chosen = _one_line(_chosen_address(request))
    before = {
        _one_line({name: getattr(order.shipping_address, name, "") for name in _ADDRESS})
        for order in request.user.orders.select_related("shipping_address").order_by("-pk")[:100]
        if order.shipping_address is not None
    }
    return bool(before) and chosen not in before


# --- money -------------------------------------------------------------------------------------------------------


def _places_order(request: HttpRequest) -> bool:
    return is_post(request) and request.POST.get("action") == "place_order"


def _payment(request: HttpRequest, _kwargs: Mapping[str, Any]) -> Mapping[str, Any]:
    basket = request.basket
    due = basket.total_incl_tax if basket.is_tax_known else basket.total_excl_tax
    cards = gift_cards_of(request)
    money: dict[str, Any] = {
        "id": f"basket-{basket.pk}",
        "instrument": "card",
        **amount(due, basket.currency),
    }
    if cards:
        money |= {"instrument": "gift_card", "instrument_id": token("card", ",".join(sorted(cards)))}
        money["balance_before_minor"] = amount(sum(cards.values(), Decimal(0)), basket.currency)[
            "amount_minor"
        ]
    return {"transaction": money}


def gift_cards_of(request: HttpRequest) -> dict[str, Decimal]:
    """Codes and balances of the gift cards that pay this order: what oscar-accounts' ``Allocations`` hold in the session.

    A shop keeps them where its checkout likes; the key ``giftcards`` (a list of codes) is the one that is read here.
    """
    codes = request.session.get("giftcards", ())
    if not codes:
        return {}
    from oscar.core.loading import get_model  # noqa: PLC0415 -- only where oscar is installed

    found = get_model("oscar_accounts", "Account").objects.filter(code__in=codes)
    return {account.code: account.balance for account in found}


# --- what answers meant --------------------------------------------------------------------------------------------


def _changes_email(request: HttpRequest) -> bool:
    typed = request.POST.get("email", "").strip().lower()
    return is_post(request) and bool(typed) and typed != (getattr(request.user, "email", "") or "").lower()


def _voucher_exists(request: HttpRequest, _response: HttpResponse) -> bool | None:
    """Every answer of oscar's voucher view is a redirect; whether there is such a voucher, the shop knows."""
    from oscar.core.loading import get_model  # noqa: PLC0415 -- only where oscar is installed

    code = request.POST.get("code", "").strip()
    return bool(code and get_model("voucher", "Voucher").objects.filter(code__iexact=code).exists())


def _card_shown(_request: HttpRequest, response: HttpResponse) -> bool | None:
    return (getattr(response, "context_data", None) or {}).get("account") is not None


def _order_placed(_request: HttpRequest, response: HttpResponse) -> bool | None:
    """Oscar shows the page again where a payment failed, and redirects to its thanks where it did not."""
    return bool(300 <= response.status_code < 400)
