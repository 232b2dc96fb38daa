"""A shop's step-up desk in a world of its own: a store, a clock, seeded randomness, a mailbox, an authenticator."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

import pyotp
from sqlalchemy import event, text

from shopward import stepup
from shopward.adapters.sql import open_engine
from shopward.adapters.sql.records import SqlRecords
from shopward.stepup import tables
from shopward.stepup.challenges import Subject
from shopward.stepup.enrolment import confirm_totp, start_totp
from shopward.values import MINUTE_MS

NOW_MS = 1_790_000_000_000
PARTY = stepup.RelyingParty("shop.example", "Toko Contoh", ("https://shop.example",))
USER, DEVICE = "u" * 22, "d" * 22
CODE_PLACE = slice(-8, None)


class SeededIds:
    """Ids in order."""

    def __init__(self):
        self.count = 0

    def new(self, prefix, at_ms):
        """The next id."""
        self.count += 1
        return f"{prefix}-{at_ms:012x}{self.count:020x}"


@dataclass
class Mailbox:
    """A channel that keeps what it carries; or is down."""

    carries: frozenset = frozenset({"email", "whatsapp"})
    sent: list = field(default_factory=list)
    down: bool = False

    def send(self, message):
        """Keep it."""
        if self.down:
            raise stepup.ChannelDown(message.channel)
        self.sent.append(message)

    def code(self):
        """The newest code, read from the origin-bound line as a browser does."""
        return self.sent[-1].text[CODE_PLACE]


def cheap_hasher(entropy):
    """Argon2id for tests alone."""
    return stepup.Hasher(stepup.CHEAP_FOR_TESTS, entropy=entropy, unsafe_for_tests=True)


class World:
    """One shop."""

    def __init__(self, url, *, seed=1, channel=None):
        self.rng = random.Random(seed)
        self.engine = open_engine(url)
        if self.engine.dialect.name == "sqlite":  # what a power cut would do is not what is tested here
            event.listen(
                self.engine, "connect", lambda driver, _record: driver.execute("PRAGMA synchronous = OFF")
            )
        with self.engine.begin() as connection:
            tables.metadata.create_all(connection)
            for table in tables.metadata.sorted_tables:
                connection.execute(table.delete())
        self.now_ms = NOW_MS
        self.mailbox = channel or Mailbox()
        self.desk = stepup.Desk(
            records=SqlRecords(self.engine),
            keys=stepup.Keys(bytes(range(32))),
            hasher=cheap_hasher(self.rng.randbytes),
            party=PARTY,
            entropy=self.rng.randbytes,
            ids=SeededIds(),
            channel=self.mailbox,
        )
        self.decisions = 0
        self.secrets = {}

    def close(self):
        """Give the connections back."""
        self.engine.dispose()

    def subject(self, *, user=USER, device=DEVICE, operation="payment"):
        """Something that a new decision asks a proof for."""
        self.decisions += 1
        return Subject(user, device, operation, f"dec-{self.decisions}")

    def ask(
        self, subject=None, *, preferred=("passkey", "totp", "recovery_code", "whatsapp", "email"), **options
    ):
        """A challenge and its subject."""
        subject = subject or self.subject()
        wanted = {"excluded": (), "reachable": ("email", "whatsapp")} | options
        return stepup.open_challenge(
            self.desk, subject, preferred=preferred, at_ms=self.now_ms, **wanted
        ), subject

    def verify(self, challenge, subject, factor, answer, **options):
        """Answer it."""
        return stepup.verify(
            self.desk,
            challenge.id,
            expected=subject,
            factor=factor,
            answer=answer,
            at_ms=self.now_ms,
            **options,
        )

    def send(self, challenge, subject, channel="email", **options):
        """Send a code and read it."""
        stepup.send_code(
            self.desk,
            challenge.id,
            expected=subject,
            channel=channel,
            to="budi@mail.example" if channel == "email" else "+6281234567890",
            language="id",
            at_ms=self.now_ms,
            **options,
        )
        return self.mailbox.code()

    def enrol_totp(self, user=USER, *, proof=None):
        """An app for a user; the code of its first step is used up by the confirmation."""
        offer = start_totp(self.desk, user, account="budi", proof=proof, at_ms=self.now_ms)
        self.secrets[user] = offer.secret_base32
        confirm_totp(self.desk, user, offer.factor_id, code=self.app_code(user), at_ms=self.now_ms)
        self.now_ms += MINUTE_MS
        return offer.factor_id

    def app_code(self, user=USER, *, at_ms=None):
        """What the app shows."""
        return pyotp.TOTP(self.secrets[user]).at((self.now_ms if at_ms is None else at_ms) // 1000)

    def proof(self, operation="mfa_enroll", *, factor="totp"):
        """A passed challenge to spend."""
        challenge, subject = self.ask(self.subject(operation=operation))
        answer = self.app_code() if factor == "totp" else self.send(challenge, subject, factor)
        self.verify(challenge, subject, factor, answer)
        self.now_ms += MINUTE_MS
        return stepup.Proof(challenge.id, DEVICE)

    def tamper(self, statement, **values):
        """Change a row behind the back of the code."""
        with self.engine.begin() as connection:
            return connection.execute(text(statement), values)

    def rows(self, statement):
        """What a statement reads."""
        with self.engine.begin() as connection:
            return connection.execute(text(statement)).fetchall()


def wrong(code):
    """Another code of the same form."""
    return f"{(int(code) + 1) % 10 ** len(code):0{len(code)}d}"
