"""No sequence of anything gives two successes, or one that the threat could have had: a machine looks for it."""

from __future__ import annotations

import random
import tempfile

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from msgspec.structs import replace

from shopward.stepup import StepUpRefused, new_recovery_codes, passkey_options, spend
from shopward.values import MINUTE_MS
from stepup.authenticator import Authenticator
from stepup.test_passkeys import enrolled
from stepup.world import DEVICE, USER, World, wrong

FACTORS = ("passkey", "totp", "recovery_code", "whatsapp", "email")
JUMPS_MS = (1, 1_000, 29_000, 31_000, 5 * MINUTE_MS, 10 * MINUTE_MS, 24 * 60 * MINUTE_MS)


class Challenges(RuleBasedStateMachine):
    """A customer, a thief who sees every answer, and a clock that jumps."""

    def __init__(self):
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.world = World(f"sqlite:///{self.folder.name}/shop.db", seed=7)
        self.device = enrolled(self.world, counter=3)
        self.world.secrets[USER] = ""
        self._enrol_app()
        self.codes = list(self._recovery_codes())
        self.asked = []
        self.passed = {}
        self.spent = []
        self.used = {}
        self.seen = []
        self.latest_ms = self.world.now_ms
        self.tries = {}

    def teardown(self):
        """Nothing stays."""
        self.world.close()
        self.folder.cleanup()

    def _enrol_app(self):
        asked = self.world.ask(self.world.subject(operation="mfa_enroll"))
        options = passkey_options(self.world.desk, asked[0].id, expected=asked[1], at_ms=self.world.now_ms)
        self.world.verify(*asked, "passkey", self.device.get(options))
        from shopward.stepup import Proof  # noqa: PLC0415

        self.world.enrol_totp(proof=Proof(asked[0].id, DEVICE))

    def _recovery_codes(self):
        return new_recovery_codes(self.world.desk, USER, proof=self.world.proof(), at_ms=self.world.now_ms)

    @rule(excluded=st.sets(st.sampled_from(FACTORS), max_size=4), level_min=st.integers(1, 3))
    def ask(self, excluded, level_min):
        """A new decision asks for a proof."""
        try:
            challenge, subject = self.world.ask(excluded=excluded, level_min=level_min)
        except StepUpRefused as refusal:
            assert refusal.code == "no_factor_left"
        else:
            assert not set(challenge.offered) & excluded
            self.asked.append((challenge, subject, excluded, level_min))

    @rule(by_ms=st.sampled_from(JUMPS_MS), back=st.booleans())
    def clock(self, by_ms, back):
        """The clock jumps."""
        self.world.now_ms += -by_ms if back else by_ms

    @precondition(lambda self: self.asked)
    @rule(data=st.data())
    def answer_newest(self, data):
        """The right answer to the newest challenge, under a factor that it offers: what most customers do."""
        asked = self.asked[-1]
        factor = data.draw(st.sampled_from(asked[0].offered))
        text = self._right(asked, factor)
        if text is not None:
            self.seen.append((factor, text))
            self._try(asked, factor, text)

    @precondition(lambda self: self.asked)
    @rule(data=st.data(), factor=st.sampled_from(FACTORS))
    def answer(self, data, factor):
        """The right answer, if one can be had."""
        asked = data.draw(st.sampled_from(self.asked))
        text = self._right(asked, factor)
        if text is not None:
            self.seen.append((factor, text))
            self._try(asked, factor, text)

    @precondition(lambda self: self.asked and self.seen)
    @rule(data=st.data())
    def replay(self, data):
        """The thief gives an answer that was seen before, to any challenge, under any factor's name."""
        factor, text = data.draw(st.sampled_from(self.seen))
        named = data.draw(st.sampled_from((factor, factor, *FACTORS)))
        self._try(data.draw(st.sampled_from(self.asked)), named, text)

    @precondition(lambda self: self.asked)
    @rule(data=st.data(), factor=st.sampled_from(FACTORS))
    def guess(self, data, factor):
        """A wrong answer of the right form."""
        asked = data.draw(st.sampled_from(self.asked))
        wrong_one = {
            "totp": lambda: wrong(self.world.app_code()),
            "recovery_code": lambda: f"{data.draw(st.integers(0, 9))}-{'0' * 16}",
            "passkey": lambda: Authenticator(random.Random(99)).get('{"challenge": "AAAA"}'),
        }.get(factor, lambda: "00000000")()
        self._try(asked, factor, wrong_one, wrong_on_purpose=factor != "totp")

    @precondition(lambda self: self.asked)
    @rule(data=st.data(), part=st.sampled_from(("user", "device", "operation", "decision_id")))
    def somebody_else(self, data, part):
        """A right answer for another subject is refused whatever else holds."""
        challenge, subject, *_rest = data.draw(st.sampled_from(self.asked))
        try:
            self.world.verify(challenge, replace(subject, **{part: "else"}), "totp", self.world.app_code())
        except StepUpRefused as refusal:
            assert refusal.code == "wrong_subject"
        else:
            raise AssertionError("a proof for somebody else")

    @precondition(lambda self: self.asked)
    @rule(data=st.data())
    def spend(self, data):
        """A passed challenge is spent."""
        challenge, subject, *_rest = data.draw(st.sampled_from(self.asked))
        try:
            self.world.desk.run(
                lambda connection: spend(
                    self.world.desk,
                    connection,
                    challenge.id,
                    operation=subject.operation,
                    user=USER,
                    device=DEVICE,
                    at_ms=self.world.now_ms,
                )
            )
        except StepUpRefused:
            return
        assert challenge.id in self.passed
        self.spent.append(challenge.id)

    @invariant()
    def once(self):
        """Nothing was spent twice, and no answer bought two proofs."""
        assert len(self.spent) == len(set(self.spent))
        assert all(len(bought) == 1 for bought in self.used.values())

    def _right(self, asked, factor):
        challenge, subject, *_rest = asked
        if factor == "totp":
            return self.world.app_code()
        if factor == "recovery_code":
            return self.codes[len(self.seen) % 10]
        try:
            if factor == "passkey":
                options = passkey_options(
                    self.world.desk, challenge.id, expected=subject, at_ms=self.world.now_ms
                )
                return self.device.get(options)
            return self.world.send(challenge, subject, factor)
        except StepUpRefused:
            return None

    def _try(self, asked, factor, text, *, wrong_on_purpose=False):
        challenge, subject, excluded, level_min = asked
        try:
            verified = self.world.verify(challenge, subject, factor, text)
        except StepUpRefused as refusal:
            if refusal.code == "wrong_answer":
                self.tries[challenge.id] = self.tries.get(challenge.id, 0) + 1
            assert self.tries.get(challenge.id, 0) <= 5
            return
        assert not wrong_on_purpose
        assert challenge.id not in self.passed, "a second success"
        assert factor not in excluded, "a success with an excluded factor"
        assert verified.factor == factor
        assert verified.level >= level_min
        assert verified.subject == subject
        assert challenge.created_ms <= verified.at_ms < challenge.expires_ms
        self.passed[challenge.id] = factor
        kind = challenge.id if factor in ("email", "whatsapp") else factor
        self.used.setdefault((kind, text), []).append(challenge.id)


def test_no_sequence_of_answers_guesses_replays_and_jumps_gives_what_it_must_not():
    """At most one success a challenge and an answer, never with an excluded or weak factor, never out of time."""
    run_state_machine_as_test(
        Challenges, settings=settings(max_examples=60, stateful_step_count=30, deadline=None)
    )
