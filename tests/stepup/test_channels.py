"""Codes leave over a real mail server and a real endpoint of the shop, encrypted or not at all."""

from __future__ import annotations

import base64
import email
import email.policy
import hashlib
import hmac
import http.server
import json
import ssl
import threading
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from shopward.adapters.codes import SmtpChannel, WebhookChannel, channel_of, webhook_key
from shopward.adapters.mail import MailServer as Route
from shopward.adapters.mail import mail_route
from shopward.config import Settings
from shopward.errors import Misconfigured
from shopward.service.checks import check_settings
from shopward.stepup import ChannelDown, NoCodeChannel
from shopward.stepup.code_channel import message
from shopward.values import ManualClock
from stepup.front import NOW_MS, Letterbox, MailServer
from stepup.world import SeededIds

CLOCK = ManualClock(NOW_MS)
SECRET = "whsec_" + base64.b64encode(bytes(range(32))).decode()


def a_message(channel="email", to="budi@mail.example", language="id"):
    """A code for a payment."""
    return message(
        channel=channel, to=to, code="12345678", operation="payment", domain="shop.example", shop="Toko",
        language=language,
    )  # fmt: skip


def smtp(port, **changes):
    """A channel to a server on this machine."""
    made = {"sender": "kode@shop.example", "clock": CLOCK, "domain": "shop.example"} | changes
    return SmtpChannel(Route(mail_route(f"smtp://127.0.0.1:{port}"), **made))


@pytest.fixture
def letterbox():
    """A mail server that takes everything."""
    box = Letterbox()
    server = MailServer(box)
    server.start()
    box.port = server.port
    yield box
    server.stop()


class Endpoint(http.server.BaseHTTPRequestHandler):
    """The shop's endpoint: keeps what it is sent, answers what it is told to."""

    def do_POST(self):
        """One call."""
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.calls.append((self.path, dict(self.headers), body))
        self.send_response(self.server.status)
        if self.server.status == 307:
            self.send_header("Location", self.path)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        """Nothing is printed."""


@pytest.fixture
def endpoint():
    """It, on a free port."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Endpoint) as server:
        server.calls, server.status = [], 204
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.mark.parametrize(("language", "word"), [("id", "Kode"), ("zh", "验证码"), ("en", "code")])
def test_a_mail_says_what_the_message_says(letterbox, language, word):
    """Sender, one receiver, subject without the code, a text in the language, the bound line last."""
    smtp(letterbox.port).send(a_message(language=language))
    (mail,) = letterbox.mails
    assert (mail.mail_from, mail.rcpt_tos) == ("kode@shop.example", ["budi@mail.example"])
    read = email.message_from_bytes(mail.content, policy=email.policy.default)
    assert read["To"] == "budi@mail.example"
    assert read["Auto-Submitted"] == "auto-generated"
    assert read["Date"].datetime == datetime(2026, 1, 5, tzinfo=UTC)
    assert "12345678" not in read["Subject"]
    assert "1234 5678" not in read["Subject"]
    text = read.get_content()
    assert word in text
    assert text.strip().splitlines()[-1] == "@shop.example #12345678"


def test_an_address_that_is_two_once_it_is_decoded_reaches_neither(letterbox):
    """An encoded word with a comma in it: the mail server is told what was asked for as one mailbox, and refuses it."""
    with pytest.raises(ChannelDown):
        smtp(letterbox.port).send(a_message(to="=?utf-8?q?thief=40bad.example=2C?=budi@mail.example"))
    assert letterbox.mails == []


def test_beyond_this_machine_a_code_leaves_under_tls_or_not_at_all(letterbox, monkeypatch):
    """A server elsewhere that offers no TLS is told nothing, not even who the code is for."""
    monkeypatch.setattr("shopward.adapters.mail.is_loopback", lambda _host: False)
    with pytest.raises(ChannelDown):
        smtp(letterbox.port).send(a_message())
    assert letterbox.mails == []


def test_a_certificate_that_nobody_vouches_for_is_refused(tmp_path):
    """STARTTLS with a certificate of one's own making: the code stays here."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime(2026, 1, 1, tzinfo=UTC)
    made = x509.CertificateBuilder(name, name, key.public_key(), 1, now, now + timedelta(days=36_000))
    file = tmp_path / "server.pem"
    file.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        + made.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    box = Letterbox()
    server = MailServer(box, tls_context=context)
    server.start()
    try:
        with pytest.raises(ChannelDown):
            smtp(server.port).send(a_message())
    finally:
        server.stop()
    assert box.mails == []


def test_a_server_that_is_down_or_refuses_is_told_without_its_words(letterbox, endpoint):
    """No reason of the provider's is repeated: it may quote the address."""
    with pytest.raises(ChannelDown) as nobody:
        smtp(endpoint.server_port).send(a_message())  # answers, and speaks no SMTP
    with pytest.raises(ChannelDown) as refused:
        smtp(letterbox.port, sender="no address\n").send(a_message())
    for caught in (nobody, refused):
        assert str(caught.value) == "email"
        assert caught.value.__cause__ is None
        assert caught.value.__context__ is None


def test_the_shops_endpoint_gets_a_signed_call(endpoint):
    """Standard Webhooks: HMAC-SHA-256 over id, time and body, computed here anew."""
    url = f"http://127.0.0.1:{endpoint.server_port}/codes?shop=1"
    WebhookChannel(url, key=webhook_key(SECRET), clock=CLOCK, ids=SeededIds()).send(
        a_message("whatsapp", "+6281234567890")
    )
    ((path, headers, body),) = endpoint.calls
    assert path == "/codes?shop=1"
    told = json.loads(body)
    assert (told["type"], told["timestamp"]) == ("stepup.code", "2026-01-05T00:00:00.000Z")
    assert (told["data"]["channel"], told["data"]["to"]) == ("whatsapp", "+6281234567890")
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    mac = hmac.new(bytes(range(32)), signed, hashlib.sha256).digest()
    assert headers["webhook-signature"] == "v1," + base64.b64encode(mac).decode()
    assert int(headers["webhook-timestamp"]) == NOW_MS // 1000


@pytest.mark.parametrize("status", [307, 400, 500])
def test_what_is_not_taken_is_down_and_no_redirect_is_followed(endpoint, status):
    """One call, whatever is answered."""
    endpoint.status = status
    url = f"http://127.0.0.1:{endpoint.server_port}/"
    with pytest.raises(ChannelDown):
        WebhookChannel(url, key=webhook_key(SECRET), clock=CLOCK, ids=SeededIds()).send(a_message())
    assert len(endpoint.calls) == 1


def test_mail_goes_by_mail_and_the_rest_by_the_shop(letterbox, endpoint):
    """With both set, each carries its own; with none, nothing is carried."""
    nothing = {"mail": None, "webhook_url": "", "webhook_secret": ""}
    route = mail_route(f"smtp://127.0.0.1:{letterbox.port}")
    both = {
        "mail": Route(route, sender="kode@shop.example", clock=CLOCK, domain="shop.example"),
        "webhook_url": f"http://127.0.0.1:{endpoint.server_port}/", "webhook_secret": SECRET,
    }  # fmt: skip
    channel = channel_of(**nothing | both, clock=CLOCK, ids=SeededIds())
    assert channel.carries == {"email", "whatsapp"}
    channel.send(a_message())
    channel.send(a_message("whatsapp", "+6281234567890"))
    assert (len(letterbox.mails), len(endpoint.calls)) == (1, 1)
    with pytest.raises(ChannelDown):
        channel.send(a_message("pigeon"))
    assert isinstance(channel_of(**nothing, clock=CLOCK, ids=SeededIds()), NoCodeChannel)


@pytest.mark.parametrize("url", [
    "mail.example", "http://mail.example", "smtp:///in", "smtp://host:port", "smtps://host/inbox", "smtp://h:99999999",
])  # fmt: skip
def test_a_mail_server_that_cannot_be_read_is_refused_without_its_text(url):
    """It may hold a password."""
    with pytest.raises(Misconfigured) as refused:
        mail_route(url)
    assert url not in str(refused.value)
    assert repr(mail_route("smtp://u:s%40cret@host:587")) == "MailRoute(host='host', port=587)"
    assert mail_route("smtp://u:s%40cret@host").password == "s@cret"  # noqa: S105 -- of no server


@pytest.mark.parametrize(
    "url", ["http://shop.example/c", "ftp://127.0.0.1/", "https://", "https://u:p@shop.example/"]
)
def test_a_code_never_goes_to_the_shop_in_clear(url):
    """Only https, or this machine; no password inside the address; no short secret."""
    with pytest.raises(Misconfigured):
        WebhookChannel(url, key=webhook_key(SECRET), clock=CLOCK, ids=SeededIds())
    for secret in ("", "whsec_", "whsec_c2hvcnQ=", "no base64!"):
        with pytest.raises(Misconfigured):
            webhook_key(secret)


@pytest.mark.parametrize(("changes", "path"), [
    ({"smtp_url": "smtp://127.0.0.1", "mail_from": "a@b.example"}, "shop_domain"),
    ({"code_webhook_url": "https://shop.example/c"}, "shop_domain"),
    ({"shop_origins": "https://shop.example"}, "shop_domain"),
    ({"shop_domain": "shop.example", "smtp_url": "smtp://127.0.0.1"}, "mail_from"),
    ({"shop_domain": "shop.example", "mail_from": "a@b.example"}, "smtp_url"),
    ({"shop_domain": "shop.example", "shop_origins": "http://shop.example"}, "shop_origins"),
    ({"shop_domain": "shop.example", "shop_origins": "https://evilshop.example"}, "shop_origins"),
    ({"shop_domain": "shop.example", "shop_origins": "https://shop.example, https://other.example"}, "shop_origins"),
    ({"shop_name": "a:b"}, "shop_name"),
])  # fmt: skip
def test_what_is_half_set_is_refused_before_anything_is_opened(changes, path):
    """Each with the setting that is missing or wrong."""
    with pytest.raises(Misconfigured) as refused:
        check_settings(Settings(**changes))
    assert refused.value.path == path


def test_origins_come_from_the_domain_or_are_named():
    """Names below the domain, and ports, are fine."""
    assert Settings(shop_domain="shop.example").origins == ("https://shop.example",)
    named = Settings(
        shop_domain="shop.example", shop_origins="https://shop.example, https://m.shop.example:8443"
    )
    check_settings(named)
    assert named.origins == ("https://shop.example", "https://m.shop.example:8443")
    assert Settings().origins == ()
