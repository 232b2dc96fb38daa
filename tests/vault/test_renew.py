"""Signing keys, keys of webhooks, tokens and marks are replaced while everything goes on; what the old ones did still holds."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner
from sqlalchemy import delete

from shopward.access.keys import Caller
from shopward.audit import AUDIT_KEY, FolderSigner, SigningKey, statement, verify
from shopward.audit.keys import public_keys
from shopward.audit.tables import audit_checkpoint
from shopward.audit.trail import AuditTrail
from shopward.cli import main
from shopward.errors import Conflict, NotFound
from shopward.keyring import Generations
from shopward.leaks import MarkRing, Marks
from shopward.outbox.endpoints import WebhookAsked
from shopward.outbox.registry import WEBHOOK_KEY, Endpoints, renewable_sealer
from shopward.service import Shopward
from vault.conftest import ANI, SHOP, deeds, order

OWNER = "https://shop.example/hooks"
OPS = Caller("key-ops", "ops", ("admin",))
WRONG = SigningKey(b"w" * 32)


def signed(shop):
    """A checkpoint of now, as somebody keeps it elsewhere."""
    return shop.records.write(
        lambda each: shop.trail.checkpoint(each, at_ms=shop.clock.now_ms(), actor="test")
    )


def verified(shop, *keys, kept=None):
    """What the verifier says who trusts these keys."""
    return shop.records.read(lambda each: verify(each, public_key=keys[0], older=keys[1:], checkpoint=kept))


def report(shop, use):
    """Of each version its state, its rows, and whether it can go."""
    return {
        each.key.version: (each.key.state, each.left, each.is_safe_to_retire)
        for each in shop.vault.rekeying.report()
        if each.key.use == use
    }


def test_what_an_older_key_signed_still_verifies(shop, settings):
    """By the folder, by a kept file of either key alone, and after the older key was destroyed."""
    old = signed(shop)
    shop.vault.rekeying.rotate(ANI, "signing")
    shop.vault.custody.put(SHOP, [order()])
    new = signed(shop)
    assert old.key != new.key
    assert public_keys(settings.folder) == (new.key, old.key)
    assert report(shop, "signing") == {1: ("retiring", 1, True), 2: ("active", 2, False)}
    for _deed in ("before", "after"):
        for kept in (old, new):
            assert verified(shop, kept.key, kept=kept).intact
        assert verified(shop, *public_keys(settings.folder)).checkpoints >= 3
        if report(shop, "signing").get(1):
            shop.vault.rekeying.retire(ANI, "signing", 1)
    assert public_keys(settings.folder) == (new.key,)
    with pytest.raises(NotFound):
        shop.vault.rekeying.retire(ANI, "signing", 1)
    shop.vault.rekeying.rotate(ANI, "signing")
    assert set(report(shop, "signing")) == {2, 3}
    assert deeds(shop).count("audit:rotate") == 2


def test_a_second_process_signs_by_the_new_key_at_once(shop, settings):
    """It opened before the rotation, and reads the key when it signs."""
    other = AuditTrail(signer=FolderSigner(Generations(settings.folder, AUDIT_KEY)))
    shop.vault.rekeying.rotate(ANI, "signing")
    made = shop.records.write(lambda each: other.checkpoint(each, at_ms=0, actor="other"))
    assert made.key == public_keys(settings.folder)[0]


@pytest.mark.parametrize("direction", ["old", "new"])
def test_who_has_no_key_brings_none_of_his_own(shop, settings, direction):
    """A line that he wrote with one signature too few leads nowhere, whichever key he names first."""
    ours = SigningKey(Generations(settings.folder, AUDIT_KEY).all()[0].key)
    pair = (ours, WRONG) if direction == "old" else (WRONG, ours)
    said = statement("main", *pair)
    said["by_old" if direction == "old" else "by_new"] = said["by_new" if direction == "old" else "by_old"]
    forger = AuditTrail(signer=WRONG)

    def forge(connection):
        forger.append(connection, at_ms=0, actor="x", deed="audit:rotate", subject="signing", details=said)
        return forger.checkpoint(connection, at_ms=0, actor="x")

    kept = shop.records.write(forge)
    signed(shop)
    found = verified(shop, ours.public_key)
    assert (found.fault.kind, found.fault.seq) == ("checkpoint", kept.seq)
    assert not verified(shop, ours.public_key, kept=kept).intact


def test_a_rotation_that_was_cut_off_after_its_line_is_simply_done_again(shop, settings):
    """The key that was announced and never came is no trouble."""
    said = statement("main", SigningKey(Generations(settings.folder, AUDIT_KEY).all()[0].key), WRONG)
    line = {"at_ms": 0, "actor": "x", "deed": "audit:rotate", "subject": "signing", "details": said}
    shop.records.write(lambda each: shop.trail.append(each, **line))
    first = signed(shop)
    shop.vault.rekeying.rotate(ANI, "signing")
    assert verified(shop, first.key, kept=signed(shop)).intact


def test_the_command_verifies_over_a_rotation(shop, settings, tmp_path):
    """``audit checkpoint`` and ``audit verify`` at the same folder, with the file of the old key, and without the folder."""
    at = ["--data", settings.data] + (["--database", settings.database] if settings.database else [])
    ran = CliRunner().invoke
    assert ran(main, ["audit", "checkpoint", *at, "--out", str(tmp_path / "old.json")]).exit_code == 0
    shop.vault.rekeying.rotate(ANI, "signing")
    for folder in (at, ["--data", str(tmp_path / "none"), "--database", settings.database_url]):
        said = ran(main, ["audit", "verify", *folder, "--checkpoint", str(tmp_path / "old.json"), "--json"])
        assert said.exit_code == 0, said.output
        assert json.loads(said.stdout)["ok"]
    shop.records.write(lambda each: each.execute(delete(audit_checkpoint)))
    assert ran(main, ["audit", "verify", *at]).exit_code == 1


def endpoints_of(settings):
    """Another process of the same folder."""
    return Endpoints(
        "main", renewable_sealer(Generations(settings.folder, WEBHOOK_KEY)), lambda count: b"n" * count
    )


def test_the_key_of_webhooks_is_replaced_and_every_secret_opens(shop, settings):
    """In this process, in one that opened before, and after a crash between the steps; then the old key can go."""
    secrets = {}
    for number in range(3):
        made = shop.webhooks.create(OPS, WebhookAsked(f"{OWNER}/{number}"))
        secrets[made.id] = made.secret
    other = endpoints_of(settings)

    def opened(on):
        return [
            shop.records.read(lambda each, name=name: on.secrets(each, name, at_ms=0)) for name in secrets
        ]

    before = opened(other)
    Generations(settings.folder, WEBHOOK_KEY).replace(b"k" * 32)  # a rotation that got no further
    assert report(shop, "webhook") == {1: ("retiring", 3, False), 2: ("active", 0, False)}
    with pytest.raises(Conflict):
        shop.vault.rekeying.retire(ANI, "webhook", 1)
    shop.vault.rekeying.step()
    assert report(shop, "webhook")[1] == ("retiring", 0, True)
    shop.vault.rekeying.rotate(ANI, "webhook")
    assert opened(other) == opened(endpoints_of(settings)) == before
    for version in (1, 2):
        shop.vault.rekeying.retire(ANI, "webhook", version)
    assert opened(other) == before
    assert shop.webhooks.create(OPS, WebhookAsked(f"{OWNER}/new")).secret


def test_tokens_change_and_the_old_ones_can_be_had_until_they_are_given_up(shop):
    """Partners need both to put their rows right; nothing of ours tells whether they did."""
    ask = {"partner": "courier", "purpose": "delivery", "epoch": 0}
    old = shop.vault.custody.token("u1", **ask)
    shop.vault.rekeying.rotate(ANI, "token")
    assert shop.vault.custody.token("u1", **ask) != old
    assert shop.vault.custody.token("u1", **ask, version=1) == old
    assert report(shop, "token") == {1: ("retiring", 0, False), 2: ("active", 0, False)}
    with pytest.raises(Conflict) as refused:
        shop.vault.rekeying.retire(ANI, "token", 1)
    assert "partners" in refused.value.hint
    shop.vault.rekeying.retire(ANI, "token", 1, give_up=True)
    with pytest.raises(NotFound):
        shop.vault.custody.token("u1", **ask, version=1)


def test_copies_marked_by_an_older_key_are_still_traced(lite):
    """Until it is destroyed; the chance of an innocent counts every key that was tried."""
    marks, places = lite.vault.marks, [f"o-{number}/street" for number in range(64)]
    copy = {place: marks.bit("courier", place) for place in places}
    before = marks.score(copy, "courier")
    lite.vault.rekeying.rotate(ANI, "mark")
    lite.vault.custody.of_user("u1", kind=None, after="", limit=1)
    assert {place: marks.bit("courier", place) for place in places} != copy
    assert marks.score(copy, "courier").chance == 2 * before.chance < 1e-12
    assert marks.score(copy, "another").chance > 1e-3
    lite.vault.rekeying.retire(ANI, "mark", 1)
    lite.vault.custody.of_user("u1", kind=None, after="", limit=1)
    assert marks.score(copy, "courier").chance > 1e-3


def test_a_ring_of_one_key_marks_as_that_key():
    """Copies from before there was a ring are read by it."""
    one = Marks(b"k" * 32)
    ring = MarkRing(lambda: {1: b"k" * 32})
    assert [ring.bit("r", str(place)) for place in range(50)] == [
        one.bit("r", str(place)) for place in range(50)
    ]


def test_roots_are_told_and_a_restart_finds_every_key(settings, clock):
    """The report of roots, and a start after all of it was rotated."""
    with Shopward.open(settings, clock=clock) as shop:
        for use in ("signing", "webhook", "signals", "token", "mark"):
            shop.vault.rekeying.rotate(ANI, use)
        assert shop.vault.rekeying.roots() == {("file", ""): 6}
    with Shopward.open(settings, clock=clock) as shop:
        assert signed(shop).key == public_keys(settings.folder)[0]
        assert set(report(shop, "webhook")) == {1, 2}
