"""What tests of mailings share: an open Shopward that can send, and a mailing that is under way."""

from shopward.access.keys import Caller
from shopward.config import Settings
from shopward.notices.mailing import Letter, Way
from shopward.service import Shopward

SITI = Caller("siti-laptop", "siti", ("analyst",))
BUDI = Caller("budi-laptop", "budi", ("analyst",))
LETTERS = {
    "id": Letter(
        "Tentang akun Anda", "Kami mengunci saldo Anda kemarin malam. Buka aplikasi kami seperti biasa."
    ),
    "zh": Letter("关于您的账户", "昨晚我们冻结了您的余额。请像平时一样打开我们的应用。"),
}


def opened(data, database, smtp_url, *, clock):
    """An open Shopward that hands mail in there."""
    settings = Settings(
        data=data,
        database=database,
        smtp_url=smtp_url,
        mail_from="aman@shop.example",
        shop_domain="shop.example",
    )
    return Shopward.open(settings, clock=clock)


def by_mail(people):
    """Who is told by e-mail alone: id, address, language."""
    return [(user, [Way("email", address)], language) for user, address, language in people]


def under_way(shop, people):
    """A mailing to these, started by another person."""
    made = shop.notices.make(SITI, incident="inc-1", rule="ID-subject", letters=LETTERS)
    shop.notices.fill(SITI, made.id, by_mail(people))
    shop.notices.start(BUDI, made.id)
    return made.id
