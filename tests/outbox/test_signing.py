"""Standard Webhooks: the published vector, two secrets at once, and the example of the page as a receiver."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shopward.outbox.schedule import DEAD_AFTER_MS, PAUSES_MS, TRIES, is_dead, is_taken, next_due_ms
from shopward.outbox.signing import secret_bytes, secret_text, signed_headers
from shopward.values import DAY_MS

PAGE = Path(__file__).parents[2] / "docs" / "webhooks.md"
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"  # noqa: S105 -- the standard's own
BODY = b'{"test": 2432232314}'
KNOWN = {
    "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
    "webhook-timestamp": "1614265330",
    "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
}


def signed(*secrets, body=BODY, timestamp_s=1614265330):
    """The headers of the vector's message."""
    keys = [secret_bytes(secret) for secret in secrets]
    return signed_headers(keys, message_id=KNOWN["webhook-id"], timestamp_s=timestamp_s, body=body)


def example():
    """What the page shows a shop's engineer, as it stands there."""
    (block,) = (
        found
        for found in re.findall(
            r"^```python\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL
        )
        if "def verified" in found
    )
    namespace: dict[str, object] = {}
    exec(compile(block, str(PAGE), "exec"), namespace)  # noqa: S102 -- our own page
    return namespace["verified"]


def test_the_headers_are_those_of_the_standard():
    """The vector that the standard's own libraries test with."""
    assert signed(SECRET) == KNOWN


@given(st.binary(min_size=24, max_size=64))
def test_a_secret_is_text_and_back(secret):
    """What the receiver's library takes is what signs."""
    assert secret_bytes(secret_text(secret)) == secret


def test_while_a_secret_is_replaced_both_verify():
    """A receiver with the new one takes it, and so does one with the old one."""
    new = secret_text(bytes(range(32)))
    both = signed(new, SECRET)
    assert both["webhook-signature"] == signed(new)["webhook-signature"] + " " + KNOWN["webhook-signature"]
    for secret in (new, SECRET):
        assert example()(secret, both, BODY, now_s=1614265331)


def test_the_example_of_the_page_refuses_what_it_should():
    """Another secret, a changed body, id or time, an old message, a signature that is none."""
    verified = example()
    assert verified(SECRET, KNOWN, BODY, now_s=1614265330 + 299)
    assert not verified(secret_text(bytes(32)), KNOWN, BODY, now_s=1614265330)
    assert not verified(SECRET, KNOWN, BODY + b" ", now_s=1614265330)
    for name, value in (
        ("webhook-id", "m"),
        ("webhook-timestamp", "1614265331"),
        ("webhook-signature", "v1,"),
    ):
        assert not verified(SECRET, KNOWN | {name: value}, BODY, now_s=1614265330)
    assert not verified(SECRET, KNOWN, BODY, now_s=1614265330 + 301)
    assert not verified(SECRET, KNOWN, BODY, now_s=1614265330 - 301)


class Spread:
    """A source of randomness that always says the same share of its range."""

    def __init__(self, share):
        self.share = share

    def uniform(self, low, high):
        """Somewhere in the range."""
        return low + (high - low) * self.share


@pytest.mark.parametrize("share", [0, 0.5, 1])
def test_pauses_grow_over_days_and_end(share):
    """From seconds to half a day, a fifth either way; the last try comes after more than two and less than four days."""
    at_ms, pauses = 0, []
    for tries in range(1, TRIES):
        due_ms = next_due_ms(tries, at_ms=at_ms, random=Spread(share))
        pauses.append(due_ms - at_ms)
        at_ms = due_ms
    assert pauses == sorted(pauses)
    assert all(0.8 * meant <= pause <= 1.2 * meant for pause, meant in zip(pauses, PAUSES_MS, strict=True))
    assert 2 * DAY_MS < at_ms < 4 * DAY_MS < DEAD_AFTER_MS
    assert next_due_ms(TRIES, at_ms=at_ms, random=Spread(share)) is None


def test_who_counts_as_gone():
    """Only 2xx is taken; 410 is gone at once, anything else after days without a single success."""
    assert [is_taken(code) for code in ("http_200", "http_204", "http_302", "http_503", "timeout")] == [
        True, True, False, False, False,
    ]  # fmt: skip
    assert is_dead("http_410", failing_since_ms=0, at_ms=0)
    assert not is_dead("http_503", failing_since_ms=1, at_ms=DEAD_AFTER_MS)
    assert is_dead("http_503", failing_since_ms=1, at_ms=DEAD_AFTER_MS + 1)
    assert not is_dead("http_503", failing_since_ms=0, at_ms=10 * DEAD_AFTER_MS)
