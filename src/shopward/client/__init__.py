"""The SDK of Python shops: ask before something is done, tell what happened, move money in two steps.

Promise: typed, without the server's code, and one dependency (an HTTP client, extra ``client``). No call raises into a
customer's page for anything that a network, a server or an event does: where Shopward is not heard, the shop's own table
answers (``on_unreachable``), and ``fault`` says why. A retry never decides twice. See docs/sdk.md.
"""

from shopward.client.answers import (
    Answer,
    Authorization,
    Captured,
    Challenge,
    Decision,
    OwnPage,
    PasswordScreened,
    Reason,
    Record,
    Records,
    Verdict,
)
from shopward.client.calls import AsyncClient, Client
from shopward.client.context import TrustedProxies, from_asgi, from_wsgi
from shopward.client.events import event
from shopward.client.faults import FAULTS, Fault
from shopward.client.page_tokens import PageTokens
from shopward.client.signs import signs_of_asgi, signs_of_wsgi
from shopward.client.stolen import Stolen
from shopward.client.webhooks import Message, WebhookInvalid, verify_webhook

__all__ = [
    "FAULTS",
    "Answer",
    "AsyncClient",
    "Authorization",
    "Captured",
    "Challenge",
    "Client",
    "Decision",
    "Fault",
    "Message",
    "OwnPage",
    "PageTokens",
    "PasswordScreened",
    "Reason",
    "Record",
    "Records",
    "Stolen",
    "TrustedProxies",
    "Verdict",
    "WebhookInvalid",
    "event",
    "from_asgi",
    "from_wsgi",
    "signs_of_asgi",
    "signs_of_wsgi",
    "verify_webhook",
]
