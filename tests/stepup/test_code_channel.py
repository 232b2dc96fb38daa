"""Sent codes: their form and text, their binding, their end, and a channel that is down."""

from __future__ import annotations

import random
import re
from collections import Counter

import pytest

from shopward import stepup
from shopward.errors import Misconfigured
from shopward.stepup import NoCodeChannel, StepUpRefused
from shopward.stepup.code_channel import LANGUAGES, checked_domain, message, new_code
from shopward.values import HOUR_MS, MINUTE_MS
from stepup.world import USER, World, wrong

NEVER_ASKED = {"id": "Kami tidak pernah meminta kode", "zh": "我们绝不会", "en": "We never ask for this code"}


def test_a_code_has_eight_even_digits():
    """Eight digits, leading zeros kept, each digit as likely as the others."""
    entropy = random.Random(5).randbytes
    codes = [new_code(entropy) for _code in range(5000)]
    assert all(re.fullmatch(r"[0-9]{8}", code) for code in codes)
    counts = Counter("".join(codes))
    assert set(counts) == set("0123456789")
    assert max(counts.values()) < 1.1 * min(counts.values())


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("operation", ["login", "withdrawal", "something_new"])
def test_the_text_warns_names_the_deed_and_ends_in_the_bound_line(language, operation):
    """In each language: never asked for, what it is for, how long, and the origin-bound line as the last one."""
    made = message(
        channel="email",
        to="budi@mail.example",
        code="01234567",
        operation=operation,
        domain="shop.example",
        shop="Toko",
        language=language,
    )
    assert NEVER_ASKED[language] in made.text
    assert "0123 4567" in made.text
    assert "10" in made.text
    assert made.text.splitlines()[-1] == "@shop.example #01234567"
    assert "{" not in made.text + made.subject
    assert "0123" not in made.subject
    assert "http" not in made.text


def test_every_language_speaks_of_the_same_deeds():
    """No operation is named in one language and not in another."""
    from shopward.stepup.code_channel import _texts  # noqa: PLC0415

    texts = _texts()
    assert len({frozenset(texts[language]["operations"]) for language in LANGUAGES}) == 1


def test_a_message_shows_neither_code_nor_address():
    """Its repr, which logs and tracebacks print, holds nothing secret."""
    made = message(
        channel="email", to="budi@mail.example", code="01234567", operation="login", domain="shop.example",
        shop="Toko", language="en",
    )  # fmt: skip
    assert "budi" not in repr(made)
    assert "0123" not in repr(made)


@pytest.mark.parametrize(
    "domain", ["", "shop", "Shop.example", "shop.example/x", "shop.example #1", "-a.example", "a..b"]
)
def test_a_domain_that_cannot_be_bound_is_refused(domain):
    """Only a plain host name fits the bound line."""
    with pytest.raises(Misconfigured):
        checked_domain(domain)


@pytest.mark.parametrize("channel", ["email", "whatsapp"])
def test_a_sent_code_answers_once(world, channel):
    """The code passes its challenge, once, at level 1; blanks in it are no matter."""
    asked = world.ask()
    code = world.send(*asked, channel)
    verified = world.verify(*asked, channel, f" {code[:4]} {code[4:]}")
    assert (verified.factor, verified.level) == (channel, 1)
    with pytest.raises(StepUpRefused) as refusal:
        world.verify(*asked, channel, code)
    assert refusal.value.code == "replayed"


def test_a_code_belongs_to_its_challenge_and_channel(world):
    """Sent for one operation it proves nothing for another, nor as if it had come another way."""
    first, second = world.ask(), world.ask(world.subject(operation="email_change"))
    code = world.send(*first, "email")
    world.send(*second, "email")
    with pytest.raises(StepUpRefused, match="wrong"):
        world.verify(*second, "email", code)
    with pytest.raises(StepUpRefused, match="wrong"):
        world.verify(*first, "whatsapp", code)
    assert world.verify(*first, "email", code)


def test_no_code_is_right_before_one_was_sent(world):
    """A challenge without a sent code takes none."""
    asked = world.ask()
    with pytest.raises(StepUpRefused, match="wrong"):
        world.verify(*asked, "email", "00000000")


def test_a_newer_code_makes_the_older_one_worthless(world):
    """Only the newest answers; a challenge sends three at most."""
    asked = world.ask()
    codes = [world.send(*asked) for _code in range(3)]
    with pytest.raises(StepUpRefused) as refusal:
        world.send(*asked)
    assert refusal.value.code == "too_many_codes"
    with pytest.raises(StepUpRefused, match="wrong"):
        world.verify(*asked, "email", codes[0])
    assert world.verify(*asked, "email", codes[2])


def test_a_code_holds_ten_minutes(world):
    """One millisecond before the end it holds, at the end it does not."""
    for late, ok in ((10 * MINUTE_MS - 1, True), (10 * MINUTE_MS, False)):
        asked = world.ask()
        code = world.send(*asked)
        world.now_ms += late
        if ok:
            assert world.verify(*asked, "email", code)
            continue
        with pytest.raises(StepUpRefused) as refusal:
            world.verify(*asked, "email", code)
        assert refusal.value.code == "expired"


def test_a_code_may_end_before_its_challenge(world):
    """The code's own end counts too."""
    asked = world.ask()
    code = world.send(*asked)
    world.tamper("UPDATE stepup_challenge SET code_expires_ms = :at", at=world.now_ms)
    with pytest.raises(StepUpRefused) as refusal:
        world.verify(*asked, "email", code)
    assert refusal.value.code == "expired"


def test_five_tries_for_a_challenge(world):
    """After five wrong codes the right one is refused too, and a new code is not sent."""
    asked = world.ask()
    code = world.send(*asked)
    for _try in range(5):
        with pytest.raises(StepUpRefused, match="wrong"):
            world.verify(*asked, "email", wrong(code))
    for again in (lambda: world.verify(*asked, "email", code), lambda: world.send(*asked)):
        with pytest.raises(StepUpRefused) as refusal:
            again()
        assert refusal.value.code == "too_many_tries"


def test_a_user_is_not_bombed_with_codes(world):
    """Five codes an hour over one channel, over all challenges; then a wait that is said."""
    for _challenge in range(5):
        world.send(*world.ask())
    asked = world.ask()
    with pytest.raises(StepUpRefused) as refusal:
        world.send(*asked)
    assert (refusal.value.code, refusal.value.resets_in_s) == ("too_many_codes", 3600)
    assert world.send(*asked, "whatsapp")
    world.now_ms += HOUR_MS
    assert world.send(*world.ask())


def test_the_store_holds_a_keyed_hash_and_no_address(world):
    """Neither the code nor the address is in the table; another key gives another hash."""
    asked = world.ask()
    code = world.send(*asked)
    row = world.rows("SELECT * FROM stepup_challenge")[0]
    everything = b"".join(
        bytes(cell) if isinstance(cell, bytes | memoryview) else str(cell).encode() for cell in row
    )
    assert code.encode() not in everything
    assert b"budi" not in everything
    context = world.desk.code_context(asked[0].id, "email")
    assert world.desk.keys.code_digest(code, context=context) in everything


def test_a_channel_that_is_down_is_said_and_another_factor_works(world):
    """The refusal is plain, and the challenge stays open."""
    asked = world.ask()
    world.mailbox.down = True
    with pytest.raises(StepUpRefused) as refusal:
        world.send(*asked)
    assert (refusal.value.code, refusal.value.status) == ("channel_unavailable", 503)
    assert "budi" not in str(refusal.value)
    world.mailbox.down = False
    assert world.verify(*asked, "email", world.send(*asked))


def test_without_a_channel_no_code_is_offered(tmp_path):
    """The null channel makes "off" a visible choice: nothing that needs one is offered."""
    world = World(f"sqlite:///{tmp_path}/shop.db", channel=NoCodeChannel())
    with pytest.raises(StepUpRefused) as refusal:
        world.ask()
    assert refusal.value.code == "no_factor_left"
    world.enrol_totp(USER)
    assert world.ask()[0].offered == ("totp",)
    world.close()


class _Lookout:
    """A channel that sees, whenever it is asked what it carries, how many connections are out."""

    def __init__(self):
        self.pool, self.seen = None, []

    @property
    def carries(self):
        """Both."""
        self.seen.append(self.pool.checkedout())
        return frozenset({"email", "whatsapp"})

    def send(self, message):
        """It is thrown away."""


def test_a_channel_is_asked_outside_of_transactions(place):
    """It may look into the store: within a transaction, as many askers as there are connections would wait for each other."""
    lookout = _Lookout()
    world = World(place.url, channel=lookout)
    lookout.pool = world.engine.pool
    challenge, subject = world.ask()
    stepup.send_code(
        world.desk, challenge.id, expected=subject, channel="whatsapp", to="+6281234567890", language="id", at_ms=world.now_ms
    )  # fmt: skip
    assert lookout.seen
    assert not any(lookout.seen)
    world.close()
