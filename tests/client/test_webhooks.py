"""Webhooks are taken where the Standard Webhooks signature holds, and nowhere else."""

from __future__ import annotations

import base64
import hashlib
import hmac

import pytest

from shopward.client import WebhookInvalid, verify_webhook

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"  # noqa: S105 -- the published example of Standard Webhooks
BODY = b'{"test": 2432232314}'
SENT = 1614265330


def signature(secret=SECRET, body=BODY, message="msg_p5jXN8AQM9LWM0D4loKWxJek", sent=SENT):
    """As the specification says it, with the standard library alone."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    digest = hmac.new(key, f"{message}.{sent}.".encode() + body, hashlib.sha256).digest()
    return "v1," + base64.b64encode(digest).decode()


def headers(**changed):
    """The three headers, as another server's casing might write them."""
    made = {
        "Webhook-Id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "Webhook-Timestamp": str(SENT),
        "Webhook-Signature": signature(),
    }
    return made | {name.replace("_", "-"): value for name, value in changed.items()}


def verified(body=BODY, secrets=SECRET, now_s=SENT + 10, **changed):
    """Verify with something changed."""
    return verify_webhook(headers=headers(**changed), body=body, secrets=secrets, now_s=now_s)


def test_the_vector_of_the_specification_holds():
    """The published example signs as we sign."""
    assert signature() == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_a_message_that_holds_is_taken_and_keeps_its_id():
    """The id is what makes the second delivery recognisable."""
    message = verified()
    assert (message.id, message.sent_s, message.body) == (
        "msg_p5jXN8AQM9LWM0D4loKWxJek",
        SENT,
        {"test": 2432232314},
    )


def test_one_of_several_signatures_or_secrets_is_enough():
    """While a secret is rotated both old and new are good."""
    other = "whsec_" + base64.b64encode(b"another secret of 24 byt").decode()
    assert verified(Webhook_Signature=f"v1,AAAA v1a,zzz {signature()}")
    assert verified(secrets=(other, SECRET))


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"body": b'{"test": 2432232315}'}, "signature_wrong"),
        ({"secrets": "whsec_" + base64.b64encode(b"another").decode()}, "signature_wrong"),
        ({"Webhook_Signature": ""}, "signature_wrong"),
        ({"Webhook_Signature": "v1,\u00e9"}, "signature_wrong"),
        ({"Webhook_Signature": signature().replace("v1,", "v2,")}, "signature_wrong"),
        ({"Webhook_Id": "msg_other"}, "signature_wrong"),
        ({"Webhook_Timestamp": str(SENT + 1)}, "signature_wrong"),
        ({"Webhook_Timestamp": "soon"}, "timestamp_invalid"),
        ({"Webhook_Timestamp": "9" * 400}, "timestamp_invalid"),
        ({"now_s": SENT + 301}, "timestamp_too_far"),
        ({"now_s": SENT - 301}, "timestamp_too_far"),
    ],
)
def test_what_does_not_hold_is_refused_with_its_code(changed, code):
    """Every part is under the signature, and old messages are no messages."""
    with pytest.raises(WebhookInvalid) as refused:
        verified(**changed)
    assert refused.value.code == code


def test_missing_headers_and_strange_bodies_are_refused():
    """A caller without the three headers, or a signed body that is no object, is answered with a code."""
    with pytest.raises(WebhookInvalid, match="headers_missing"):
        verify_webhook(headers={}, body=BODY, secrets=SECRET, now_s=SENT)
    with pytest.raises(WebhookInvalid, match="body_invalid"):
        verified(body=b"[]", Webhook_Signature=signature(body=b"[]"))
