"""Payment: gift cards first, the rest by a card whose acquirer, in an example, always says yes."""

from decimal import Decimal

from oscar.apps.checkout import views
from oscar.apps.payment.models import Source, SourceType
from oscar_accounts.checkout.gateway import redeem
from oscar_accounts.models import Account

from checkout.giftcards import SESSION


class PaymentDetailsView(views.PaymentDetailsView):
    """Stands in the place of oscar's own."""

    def handle_payment(self, order_number, total, **_):
        """Take the money."""
        due, allocations = total.incl_tax, {}
        for account in Account.active.filter(code__in=self.request.session.pop(SESSION, [])):
            taken = min(due, account.balance)
            if taken > Decimal(0):
                allocations[account.code] = taken
                due -= taken
        redeem(order_number, self.request.user, allocations)
        for kind, amount in (("Gift card", total.incl_tax - due), ("Card", due)):
            if amount > 0:
                source_type, _ = SourceType.objects.get_or_create(name=kind)
                self.add_payment_source(
                    Source(
                        source_type=source_type,
                        currency=total.currency,
                        amount_allocated=amount,
                        amount_debited=amount,
                    )
                )
