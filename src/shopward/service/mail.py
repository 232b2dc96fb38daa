"""What notices are sent with: the mail server of the settings, and what seals addresses.

Promise: a key that is missing beside addresses that it sealed is refused (``Misconfigured``) before anything is served.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from sqlalchemy import select

from shopward.adapters.channels import BarredPostman, ShopPostman, WhatsAppPostman
from shopward.adapters.codes.webhook import webhook_key
from shopward.adapters.mail import MailServer, mail_route
from shopward.adapters.postman import SmtpPostman
from shopward.errors import Misconfigured
from shopward.keyring import KeyFile, Sealer, derived, open_key
from shopward.lines.store import LineStore
from shopward.notices.tables import notice_recipient
from shopward.service.desks import TENANT

if TYPE_CHECKING:
    from shopward.config import Settings
    from shopward.notices.mailing import Channel
    from shopward.ports import Correspondent, Postman, Records
    from shopward.values import Clock

NOTICE_KEY: Final = KeyFile(
    "notice.key", "notice key of this store", "the key under which addresses of mailings were sealed"
)


def postmen_of(settings: Settings, records: Records, clock: Clock) -> dict[Channel, Postman]:
    """Who hands notices in, by channel; a channel without its settings is not there, and WhatsApp rests while its line is barred."""
    postmen: dict[Channel, Postman] = {}
    if settings.smtp_url:
        server = MailServer(
            mail_route(settings.smtp_url), sender=settings.mail_from, clock=clock, domain=settings.shop_domain
        )
        postmen["email"] = SmtpPostman(server)
    if settings.whatsapp_phone_id:
        if not settings.whatsapp_token:
            raise Misconfigured(
                "WhatsApp needs a token", path="whatsapp_token", expected="the token of the number's system user",
                found="nothing",
            )  # fmt: skip
        whatsapp = WhatsAppPostman(
            settings.whatsapp_url, phone_id=settings.whatsapp_phone_id, token=settings.whatsapp_token
        )
        postmen["whatsapp"] = BarredPostman(
            whatsapp,
            lambda: records.read(partial(LineStore(TENANT).is_barred, phone_id=settings.whatsapp_phone_id)),
        )
    if settings.notice_webhook_url:
        key = webhook_key(settings.notice_webhook_secret, setting="notice_webhook_secret")
        postmen["shop"] = ShopPostman(settings.notice_webhook_url, key=key, clock=clock)
    return postmen


def correspondents_of(settings: Settings) -> dict[str, Correspondent]:
    """Who hands answers in, by the platform's id of the line; none without a token."""
    phone_id = settings.whatsapp_phone_id
    if not phone_id or not settings.whatsapp_token:
        return {}
    return {
        phone_id: WhatsAppPostman(settings.whatsapp_url, phone_id=phone_id, token=settings.whatsapp_token)
    }


def notice_sealer(settings: Settings, records: Records) -> Sealer:
    """What opens and closes the addresses of mailings."""
    in_use = records.read(
        lambda each: each.execute(select(notice_recipient.c.mailing).limit(1)).first() is not None
    )
    key = open_key(settings.folder, NOTICE_KEY, in_use=in_use)
    hint = "restore notice.key and the store from one backup; otherwise make the mailing again"
    return Sealer(derived(key, b"shopward/notices/1/seal"), what="an address of a mailing", hint=hint)
