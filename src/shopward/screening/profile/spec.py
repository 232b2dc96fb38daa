"""What a shop says of itself, as TOML or JSON holds it: shapes and limits.

Promise: an unknown field is refused with its path; nothing here is compiled or looked up. ``profile.profile`` makes it
fit for use.
"""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from shopward.screening.channels import Channel

Name = Annotated[str, Meta(min_length=1, max_length=80)]
Domain = Annotated[str, Meta(min_length=1, max_length=300)]
Sender = Annotated[str, Meta(min_length=1, max_length=200)]


class SenderSpec(Struct, frozen=True, forbid_unknown_fields=True):
    """A sender: a number, an address or an account name on a channel."""

    channel: Channel
    sender: Sender


class AccountSpec(Struct, frozen=True, forbid_unknown_fields=True):
    """An account that the shop is paid on.

    Attributes:
        number: digits, or the words of a wallet; spaces and hyphens do not count.
        bank: or wallet.
        holder: whose name stands on it.
    """

    number: Annotated[str, Meta(min_length=3, max_length=64)]
    bank: Name
    holder: Annotated[str, Meta(max_length=120)] = ""


class PartnerSpec(Struct, frozen=True, forbid_unknown_fields=True):
    """Somebody whom the shop works with: a courier, a bank, a payment service."""

    name: Name
    domains: Annotated[tuple[Domain, ...], Meta(max_length=200)] = ()
    senders: Annotated[tuple[SenderSpec, ...], Meta(max_length=200)] = ()


class ProfileSpec(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A shop's profile.

    Attributes:
        name: as customers know it.
        aliases: other names, short forms, names in other scripts.
        order_pattern: how order numbers look, as RE2 expressions (linear time whatever the text).
        official_domains: the shop's own; each covers what is below it.
        short_domains: of the shop's own short links.
        hosted_pages: the shop's pages on sites of others, as host or host/path.
        official_senders: by channel.
        payment_accounts: where customers pay.
        partners: whom it works with.
    """

    name: Name
    aliases: Annotated[tuple[Name, ...], Meta(max_length=100)] = ()
    order_pattern: Annotated[
        tuple[Annotated[str, Meta(min_length=1, max_length=200)], ...], Meta(max_length=20)
    ] = ()
    official_domains: Annotated[tuple[Domain, ...], Meta(min_length=1, max_length=2_000)]
    short_domains: Annotated[tuple[Domain, ...], Meta(max_length=200)] = ()
    hosted_pages: Annotated[tuple[Domain, ...], Meta(max_length=500)] = ()
    official_senders: Annotated[tuple[SenderSpec, ...], Meta(max_length=2_000)] = ()
    payment_accounts: Annotated[tuple[AccountSpec, ...], Meta(max_length=500)] = ()
    partners: Annotated[tuple[PartnerSpec, ...], Meta(max_length=500)] = ()
