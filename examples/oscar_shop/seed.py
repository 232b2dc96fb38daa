"""Fill the shop: a book, customers with an address and an order, gift cards and a voucher. `python seed.py --help`.

Customers are customer0@shop.example, customer1@shop.example, ... with the password `correct horse N`.
"""

import argparse
import os
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "settings")


def customers(count):
    """Customers who have ordered here before."""
    from django.contrib.auth import get_user_model
    from django.contrib.auth.hashers import make_password
    from oscar.apps.address.models import Country, UserAddress
    from oscar.apps.order.models import Order, ShippingAddress

    user_model = get_user_model()
    country, _ = Country.objects.get_or_create(
        iso_3166_1_a2="ID",
        defaults={"name": "Indonesia", "printable_name": "Indonesia", "is_shipping_country": True},
    )
    joined = datetime(2024, 1, 5, tzinfo=UTC)
    user_model.objects.bulk_create(
        user_model(
            username=f"customer{n}", email=f"customer{n}@shop.example", first_name="Ayu", last_name=f"Lestari {n}",
            password=make_password(f"correct horse {n}"), date_joined=joined + timedelta(days=n % 300),
        )
        for n in range(count)
    )  # fmt: skip
    for user in user_model.objects.filter(username__startswith="customer"):
        home = {
            "first_name": user.first_name, "last_name": user.last_name, "line1": f"Jalan Melati {user.pk}",
            "line4": "Jakarta", "postcode": "10110", "country": country,
        }  # fmt: skip
        UserAddress.objects.create(user=user, is_default_for_shipping=True, **home)
        Order.objects.create(
            number=f"1{user.pk:07}", user=user, shipping_address=ShippingAddress.objects.create(**home),
            total_incl_tax=Decimal(90_000), total_excl_tax=Decimal(90_000), currency="IDR", status="Complete",
            date_placed=datetime(2026, 1, 5, tzinfo=UTC),
        )  # fmt: skip


def goods():
    """One book, which never sells out."""
    from oscar.apps.catalogue.models import Category, Product, ProductCategory, ProductClass
    from oscar.apps.partner.models import Partner, StockRecord

    kind = ProductClass.objects.create(name="Book", track_stock=False)
    book = Product.objects.create(title="Laskar Pelangi", product_class=kind)
    ProductCategory.objects.create(product=book, category=Category.add_root(name="Books"))
    partner = Partner.objects.create(name="Gudang")
    StockRecord.objects.create(
        product=book, partner=partner, partner_sku="LP-1", price=Decimal(90_000), price_currency="IDR"
    )
    return book


def gift_cards(count):
    """Cards GIFT0000AAAA, GIFT0001AAAA, ... with 500,000 each; every one belongs to whoever has its code."""
    from oscar_accounts import core, facade, names
    from oscar_accounts.models import Account
    from oscar_accounts.setup import create_default_accounts

    create_default_accounts()
    bank = Account.objects.get(name=names.BANK)
    for n in range(count):
        facade.transfer(bank, Account.objects.create(code=f"GIFT{n:04}AAAA"), Decimal(500_000))
    return core.redemptions_account()


def voucher():
    """The voucher PAYDAY: ten percent off everything."""
    from oscar.apps.offer.models import Benefit, Condition, ConditionalOffer, Range
    from oscar.apps.voucher.models import Voucher

    everything = Range.objects.create(name="Everything", includes_all_products=True)
    offer = ConditionalOffer.objects.create(
        name="Payday", offer_type=ConditionalOffer.VOUCHER,
        condition=Condition.objects.create(range=everything, type=Condition.COUNT, value=1),
        benefit=Benefit.objects.create(range=everything, type=Benefit.PERCENTAGE, value=10),
    )  # fmt: skip
    made = Voucher.objects.create(
        name="Payday", code="PAYDAY", usage=Voucher.MULTI_USE, start_datetime=datetime(2026, 1, 1, tzinfo=UTC),
        end_datetime=datetime(2100, 1, 1, tzinfo=UTC),
    )  # fmt: skip
    made.offers.add(offer)


def main():
    """Make tables where there are none, and fill them once."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--customers", type=int, default=20)
    asked.add_argument("--gift-cards", type=int, default=10)
    asked.add_argument(
        "--fast", action="store_true", help="make tables without running each migration; for tests"
    )
    given = asked.parse_args()
    django.setup()
    from django.conf import settings
    from django.contrib.auth import get_user_model
    from django.core.management import call_command
    from django.db import transaction

    settings.BASE.mkdir(parents=True, exist_ok=True)
    if given.fast:
        settings.MIGRATION_MODULES = {config.label: None for config in django.apps.apps.get_app_configs()}
    call_command("migrate", verbosity=0, run_syncdb=True)
    if get_user_model().objects.exists():
        return
    with transaction.atomic():
        goods()
        customers(given.customers)
        gift_cards(given.gift_cards)
        voucher()


if __name__ == "__main__":
    main()
