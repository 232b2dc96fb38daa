"""What a signed-in customer does: reads orders, buys, moves money, mends details, complains.

Promise: each errand is one small method; how often each is run is the table ``ODDS``, per visit. What it does not do:
signing in (see ``visits``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from shopward.testing.market import TOPUPS_MINOR, Market, amount
from shopward.testing.trail import Trail, token

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

    from shopward.testing.people import Customer

# errand, chance per visit
ODDS: Final = (
    ("buy", 0.375),
    ("top_up", 0.026),
    ("redeem", 0.019),
    ("add_address", 0.021),
    ("change_address", 0.008),
    ("change_phone", 0.0062),
    ("change_password", 0.006),
    ("change_email", 0.002),
    ("edit_profile", 0.006),
    ("transfer", 0.014),
    ("withdraw", 0.006),
    ("give_card", 0.006),
    ("check_card", 0.012),
    ("refund", 0.010),
    ("cancel", 0.006),
    ("link_identity", 0.004),
    ("unlink_identity", 0.001),
    ("add_method", 0.006),
    ("enroll_factor", 0.002),
    ("remove_factor", 0.0008),
    ("ask_support", 0.008),
    ("spend_points", 0.006),
    ("follow_link", 0.004),
    ("make_token", 0.0004),
    ("report_loss", 0.0005),
)
VIEWS: Final = ((0, 1, 2, 3, 5, 8), (0.22, 0.31, 0.2, 0.13, 0.1, 0.04))
INSTRUMENTS: Final = (("card", "linked", "balance", "gift_card"), (0.46, 0.30, 0.19, 0.05))
LARGEST_RECENT: Final = 4


class Errands:
    """The things customers come for."""

    def __init__(self, market: Market, rng: Random) -> None:
        self._market = market
        self._rng = rng
        self._deeds: list[tuple[float, Callable[[Trail, Customer], None]]] = [
            (chance, getattr(self, name)) for name, chance in ODDS
        ]
        self._any = sum(chance for chance, _ in self._deeds[1:])

    def run(self, trail: Trail) -> None:
        """A visit's errands: orders read, and whatever else comes up."""
        customer, rng = trail.customer, self._rng
        if customer is None:
            return
        for _ in range(rng.choices(*VIEWS)[0]):
            trail.wait(4, 90)
            trail.add("order_view")
        if rng.random() < self._deeds[0][0]:
            trail.wait(10, 400)
            self.buy(trail, customer)
        if rng.random() < self._any:
            trail.wait(10, 200)
            deeds = self._deeds[1:]
            deed = rng.choices(deeds, [chance for chance, _ in deeds])[0][1]
            deed(trail, customer)

    def instrument(self, customer: Customer, price: int) -> tuple[str, str | None]:
        """How a customer pays, and through whom."""
        kind = self._rng.choices(*INSTRUMENTS)[0]
        if kind == "linked" and customer.provider is not None:
            return "linked", customer.provider
        if kind == "balance" and customer.balance_minor >= price:
            return "balance", None
        return ("gift_card", None) if kind == "gift_card" else ("card", None)

    def payee(self, customer: Customer) -> str:
        """A merchant: a usual one, or another."""
        rng = self._rng
        return rng.choice(customer.merchants) if rng.random() < 0.5 else self._market.merchant(rng)

    def buy(self, trail: Trail, customer: Customer) -> None:
        """An order and its payment."""
        rng = self._rng
        price, payee = amount(rng, customer.spend_log), self.payee(customer)
        instrument, provider = self.instrument(customer, price)
        if rng.random() < 0.2:
            trail.add("order_create", properties={"merchant": payee})
            trail.wait(5, 60)
        attempted = rng.random() < 0.08
        trail.move_money("payment", price, instrument, payee, provider=provider, attempted=attempted)
        customer.recent.append((payee, price))
        del customer.recent[:-LARGEST_RECENT]

    def pay_linked(self, trail: Trail, customer: Customer) -> None:
        """A payment through the linked identity."""
        price = amount(self._rng, customer.spend_log)
        payee = self.payee(customer)
        trail.move_money("payment", price, "linked", payee, provider=customer.provider)

    def top_up(self, trail: Trail, customer: Customer) -> None:
        """Money onto the wallet."""
        put = self._rng.choice(TOPUPS_MINOR)
        trail.move_money("wallet_topup", put, "card", None)
        customer.balance_minor += put

    def redeem(self, trail: Trail, customer: Customer) -> None:
        """A gift card turned into goods."""
        worth = amount(self._rng, customer.spend_log, 0.8)
        trail.move_money("gift_card_redeem", worth, "gift_card", self.payee(customer))

    def transfer(self, trail: Trail, customer: Customer) -> None:
        """Money to a friend, at times to somebody new."""
        rng = self._rng
        payee = rng.choice(customer.friends)
        if rng.random() < 0.3:
            payee = self._market.friend(rng)
            trail.add("payee_add", properties={"payee_id": payee})
        if customer.balance_minor < 500:
            self.top_up(trail, customer)
        sent = min(customer.balance_minor, amount(rng, customer.spend_log))
        if rng.random() < 0.4:
            sent = max(100, int(customer.balance_minor * rng.uniform(0.2, 0.9)))
        trail.move_money("wallet_transfer", sent, "balance", payee, attempted=True)

    def withdraw(self, trail: Trail, customer: Customer) -> None:
        """Money off the wallet to the customer's own bank."""
        if customer.balance_minor < 1000:
            return
        taken = int(customer.balance_minor * self._rng.uniform(0.2, 1.0))
        trail.move_money("withdrawal", taken, "transfer", None, attempted=True)

    def give_card(self, trail: Trail, customer: Customer) -> None:
        """A gift card bought for somebody."""
        price = self._rng.choice(TOPUPS_MINOR)
        trail.move_money("gift_card_purchase", price, "card", customer.merchants[0])

    def check_card(self, trail: Trail, customer: Customer) -> None:
        """What is left on a gift card; the number is sometimes mistyped."""
        while self._rng.random() < 0.15:
            self.ask_card(trail, known=False)
            trail.wait(4, 20)
        self.ask_card(trail, known=True)
        if self._rng.random() < 0.3:
            self.redeem(trail, customer)

    def ask_card(self, trail: Trail, *, known: bool) -> None:
        """One question about one card number."""
        transaction = {"instrument": "gift_card", "instrument_id": token(self._rng)}
        trail.add("gift_card_check", "succeeded" if known else "failed", transaction=transaction)

    def refund(self, trail: Trail, customer: Customer) -> None:
        """Money back for a recent order, to where it came from."""
        if not customer.recent:
            return
        payee, price = self._rng.choice(customer.recent)
        back = {
            "amount_minor": price,
            "currency": "USD",
            "instrument": "card",
            "instrument_id": customer.card,
        }
        trail.add("refund_request", "requested", transaction={**back, "payee_id": payee})

    def cancel(self, trail: Trail, customer: Customer) -> None:
        """A recent order called off."""
        if customer.recent:
            trail.add("order_cancel", properties={"merchant": customer.recent.pop()[0]})

    def add_address(self, trail: Trail, customer: Customer) -> None:
        """One more delivery address."""
        del customer
        trail.change("address_add", "address", None, token(self._rng))

    def change_address(self, trail: Trail, customer: Customer) -> None:
        """The delivery address moves."""
        old, customer.address = customer.address, token(self._rng)
        trail.change("address_change", "address", old, customer.address)

    def change_phone(self, trail: Trail, customer: Customer) -> None:
        """A new number."""
        old, customer.phone = customer.phone, token(self._rng)
        trail.change("phone_change", "phone", old, customer.phone)

    def change_password(self, trail: Trail, customer: Customer) -> None:
        """A new password, known to no leak."""
        customer.password, customer.breached = token(self._rng), False
        trail.add("password_change", credential={"password_hmac": customer.password, "breached": False})

    def change_email(self, trail: Trail, customer: Customer) -> None:
        """A new mail address."""
        del customer
        trail.change("email_change", "email", token(self._rng), token(self._rng))

    def edit_profile(self, trail: Trail, customer: Customer) -> None:
        """A name or picture."""
        del customer
        trail.add("profile_update")

    def link_identity(self, trail: Trail, customer: Customer) -> None:
        """Sign in and pay with another company's account from now on."""
        if customer.provider is None:
            customer.provider = self._rng.choice(("apple", "google", "alipay", "gopay"))
        trail.add("identity_link", properties={"identity_provider": customer.provider})

    def unlink_identity(self, trail: Trail, customer: Customer) -> None:
        """No longer so."""
        if customer.provider is not None:
            trail.add("identity_unlink", properties={"identity_provider": customer.provider})
            customer.provider = None

    def add_method(self, trail: Trail, customer: Customer) -> None:
        """A new card."""
        customer.card = token(self._rng)
        card = {"instrument": "card", "instrument_id": customer.card}
        trail.add("payment_method_add", transaction=card)

    def enroll_factor(self, trail: Trail, customer: Customer) -> None:
        """A second factor."""
        customer.uses_otp = True
        trail.add("mfa_enroll", challenge={"factor": "totp"})

    def remove_factor(self, trail: Trail, customer: Customer) -> None:
        """No second factor."""
        customer.uses_otp = False
        trail.add("mfa_remove", challenge={"factor": "totp"})

    def ask_support(self, trail: Trail, customer: Customer) -> None:
        """A question to customer service."""
        del customer
        trail.add(
            "support_contact", "requested", properties={"topic": self._rng.choice(("delivery", "account"))}
        )

    def spend_points(self, trail: Trail, customer: Customer) -> None:
        """Points for goods."""
        trail.move_money("points_redeem", 100 * self._rng.randint(1, 30), "points", customer.merchants[0])

    def follow_link(self, trail: Trail, customer: Customer) -> None:
        """A link in the shop's own newsletter."""
        del customer
        trail.add("link_click", properties={"channel": "email"})

    def make_token(self, trail: Trail, customer: Customer) -> None:
        """A seller's API token."""
        del customer
        trail.add("api_token_create")

    def report_loss(self, trail: Trail, customer: Customer) -> None:
        """A charge that the customer does not recognise, rightly or not."""
        del customer
        trail.add("loss_report", "requested")
