"""A shop's profile for tests; nothing in it exists."""

from __future__ import annotations

from shopward.screening import Profile, load_profile

TOML = """
name = "Toko Nusantara"
aliases = ["TokoNusa", "Tokonusa Mall", "努山达拉商城"]
order_pattern = "TN-[0-9]{8}"
official_domains = ["tokonusa.co.id", "tokonusantara.com"]
short_domains = ["tkns.link"]
hosted_pages = ["instagram.com/tokonusa", "tokonusa.myshopify.com"]
partners = ["kurircepat.co.id", { name = "Bank Contoh", domains = ["bankcontoh.co.id"] }]

[[official_senders]]
channel = "sms"
sender = "TOKONUSA"

[[official_senders]]
channel = "whatsapp"
sender = "+62 811-1000-200"

[[official_senders]]
channel = "email"
sender = "halo@tokonusa.co.id"

[[payment_accounts]]
number = "123-456-7890"
bank = "Bank Contoh"
"""


def shop() -> Profile:
    """The profile."""
    return load_profile(TOML.encode())
