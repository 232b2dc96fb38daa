"""What notices are sent with: the mail server of the settings, and what seals addresses.

Promise: a key that is missing beside addresses that it sealed is refused (``Misconfigured``) before anything is served.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sqlalchemy import select

from shopward.adapters.mail import MailServer, mail_route
from shopward.adapters.postman import SmtpPostman
from shopward.keyring import KeyFile, Sealer, derived, open_key
from shopward.notices.tables import notice_recipient

if TYPE_CHECKING:
    from shopward.config import Settings
    from shopward.ports import Records
    from shopward.values import Clock

NOTICE_KEY: Final = KeyFile(
    "notice.key", "notice key of this store", "the key under which addresses of mailings were sealed"
)


def postman_of(settings: Settings, clock: Clock) -> SmtpPostman | None:
    """Who hands notices in; ``None`` where there is no mail server."""
    if not settings.smtp_url:
        return None
    server = MailServer(
        mail_route(settings.smtp_url), sender=settings.mail_from, clock=clock, domain=settings.shop_domain
    )
    return SmtpPostman(server)


def notice_sealer(settings: Settings, records: Records) -> Sealer:
    """What opens and closes the addresses of mailings."""
    in_use = records.read(
        lambda each: each.execute(select(notice_recipient.c.mailing).limit(1)).first() is not None
    )
    key = open_key(settings.folder, NOTICE_KEY, in_use=in_use)
    hint = "restore notice.key and the store from one backup; otherwise make the mailing again"
    return Sealer(derived(key, b"shopward/notices/1/seal"), what="an address of a mailing", hint=hint)
