"""Two pages for gift cards: what is left on one, and paying with one."""

from django.shortcuts import redirect
from oscar_accounts.checkout.forms import ValidAccountForm
from oscar_accounts.views import AccountBalanceView

SESSION = "giftcards"


class Balance(AccountBalanceView):
    """The package's own balance check, whose limit of tries for an address would punish whole networks."""

    def post(self, request, *args, **kwargs):
        """Look a card up."""
        return super(AccountBalanceView, self).post(request, *args, **kwargs)

    def form_invalid(self, form):
        """No such card."""
        return super(AccountBalanceView, self).form_invalid(form)

    def form_valid(self, form):
        """Show what is left."""
        return self.render_to_response(self.get_context_data(form=form, account=form.account))

    def get_context_data(self, **kwargs):
        """Nobody is blocked by address here."""
        return super(AccountBalanceView, self).get_context_data(is_blocked=False, **kwargs)


class Use(Balance):
    """Take a card for the order under way."""

    form_class = ValidAccountForm

    def get_form_kwargs(self):
        """Cards can belong to somebody."""
        return super().get_form_kwargs() | {
            "user": self.request.user if self.request.user.is_authenticated else None
        }

    def form_valid(self, form):
        """Remember it for the payment."""
        codes = self.request.session.get(SESSION, [])
        self.request.session[SESSION] = [*dict.fromkeys([*codes, form.account.code])]
        return redirect("checkout:preview")
