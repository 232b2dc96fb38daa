"""Oscar's checkout with this shop's payment."""

from decimal import Decimal

from oscar.apps.checkout import apps


class CheckoutConfig(apps.CheckoutConfig):
    """Stands in the place of oscar's own, as its documentation tells."""

    name = "checkout"

    def ready(self):
        """Let django-oscar-accounts 3.0.1 make accounts under Django 5, which refuses to follow relations before a save."""
        super().ready()
        from oscar_accounts.models import Account

        balance = Account._balance  # noqa: SLF001 -- the one method that has to give way
        Account._balance = lambda self: balance(self) if self.pk else Decimal(0)  # noqa: SLF001 -- the same
