"""Keys are replaced while the vault serves; none is destroyed that a row needs."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from sqlalchemy import update

from shopward.adapters.roots import FileRoot
from shopward.config import Settings
from shopward.errors import Conflict, Misconfigured, NotFound, StoreError
from shopward.service import Shopward
from shopward.vault.tables import vault_subject
from vault.conftest import ANI, SHOP, ask, deeds, order, reveal


def report(shop):
    return {
        (each.key.use, each.key.version): (each.key.state, each.left, each.is_safe_to_retire)
        for each in shop.vault.rekeying.report()
    }


def finish(shop):
    while shop.vault.rekeying.step():
        pass


def test_a_rotation_moves_every_row_and_then_the_old_key_can_go(shop):
    """Reading, writing and finding go on at each step; the report says what is left; destroyed, the key is gone."""
    shop.vault.custody.put(SHOP, [order(number, f"u{number}") for number in range(25)])
    rotations = shop.vault.room.rotations
    for use in ("kek", "index"):
        assert shop.vault.rekeying.begin(ANI, use).total == 25
        with pytest.raises(Conflict):
            shop.vault.rekeying.begin(ANI, use)
        with pytest.raises(Conflict):
            shop.vault.rekeying.retire(ANI, use, 1)
    for _step in range(30):
        shop.records.write(lambda each: rotations.step(each, shop.clock.now_ms(), wraps=4, records=4))
        assert shop.vault.custody.look("o-7", "screen").fields["city"] == "Jakarta"
        hits = shop.vault.reveals.search(
            ANI, kind="order", field="order_id", transform="exact", value="1024", limit=5
        )
        assert [each.row.id for each in hits.found] == ["o-24"]
    finish(shop)
    assert [(each.state, each.done) for each in shop.vault.rekeying.rotations()] == [
        ("done", 25),
        ("done", 25),
    ]
    assert report(shop)["kek", 1] == ("retiring", 0, True)
    assert report(shop)["kek", 2] == ("active", 25, False)
    for use in ("kek", "index"):
        shop.vault.rekeying.retire(ANI, use, 1)
        with pytest.raises(NotFound):
            shop.vault.rekeying.retire(ANI, use, 1)
    assert reveal(shop, ANI, ask())
    assert deeds(shop).count("vault:retire") == 2


def test_a_row_from_before_a_destroyed_key_is_refused(shop):
    """Put back from an old backup: it has a code, and no other key is tried."""
    shop.vault.custody.put(SHOP, [order()])
    read = lambda each: each.exec_driver_sql("SELECT kek, wrapped FROM vault_subject").one()  # noqa: E731
    old = shop.records.read(read)
    shop.vault.rekeying.begin(ANI, "kek")
    finish(shop)
    shop.vault.rekeying.retire(ANI, "kek", 1)
    shop.records.write(lambda each: each.execute(update(vault_subject).values(kek=old[0], wrapped=old[1])))
    with pytest.raises(StoreError) as refused:
        shop.vault.custody.look("o-1", "screen")
    assert refused.value.code == "key_retired"


def test_a_rotation_goes_on_after_a_restart(tmp_path, clock):
    """Half of it done, the process gone: the next one ends it."""
    settings = Settings(data=str(tmp_path / "data"))
    with Shopward.open(settings, clock=clock) as shop:
        shop.vault.custody.put(SHOP, [order(number, f"u{number}") for number in range(9)])
        shop.vault.rekeying.begin(ANI, "kek")
        shop.records.write(lambda each: shop.vault.room.rotations.step(each, 0, wraps=4))
        assert report(shop)["kek", 1][1] == 5
    with Shopward.open(settings, clock=clock) as shop:
        finish(shop)
        assert report(shop)["kek", 1] == ("retiring", 0, True)


@hypothesis_settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(st.sampled_from(["put", "fix", "kek", "index", "step", "erase", "retire"]), max_size=14))
def test_whatever_order_things_happen_in_the_values_are_right(tmp_path_factory, clock, deeds_done):
    """Writes, corrections, rotations, erasures and destroyed keys in any order: what should be there opens, and is found."""
    settings = Settings(data=str(tmp_path_factory.mktemp("vault")))
    with Shopward.open(settings, clock=clock, rebuild=False) as shop:
        should, made = {}, 0
        for deed in deeds_done:
            if deed == "put":
                made += 1
                shop.vault.custody.put(SHOP, [order(made, f"u{made % 3}", city="Jakarta")])
                should[f"o-{made}"] = "Jakarta"
            elif deed == "fix" and should:
                record = max(should)
                shop.vault.custody.rectify(SHOP, record, {"city": "Bandung"})
                should[record] = "Bandung"
            elif deed in ("kek", "index"):
                try:
                    shop.vault.rekeying.begin(ANI, deed)
                except Conflict:
                    finish(shop)
            elif deed == "step":
                shop.records.write(lambda each: shop.vault.room.rotations.step(each, 0, wraps=1, records=1))
            elif deed == "erase":
                shop.vault.erasing.erase(ANI, "u1", classes=(), reason="", dry_run=False)
                should = {name: city for name, city in should.items() if int(name[2:]) % 3 != 1}
            elif deed == "retire":
                for each in shop.vault.rekeying.report():
                    if each.is_safe_to_retire:
                        shop.vault.rekeying.retire(ANI, each.key.use, each.key.version)
        for record, city in should.items():
            assert shop.vault.custody.look(record, "screen").fields["city"] == city
        hits = shop.vault.reveals.search(
            ANI, kind="order", field="phone", transform="last4", value="7890", limit=50
        )
        assert {each.row.id for each in hits.found} == set(should)


def test_the_root_under_a_passphrase(tmp_path, clock):
    """Without it, with a wrong one and without the file nothing starts; the passphrase can be changed."""
    folder = tmp_path / "data"
    settings = Settings(data=str(folder), vault_passphrase=OLD)
    with Shopward.open(settings, clock=clock) as shop:
        shop.vault.custody.put(SHOP, [order()])
    for wrong in ("", OLD + "x"):
        with pytest.raises(Misconfigured):
            Shopward.open(Settings(data=str(folder), vault_passphrase=wrong), clock=clock)
    assert b"kuda" not in (folder / "vault.root").read_bytes()
    FileRoot.change_passphrase(folder, old=OLD, new=NEW, entropy=lambda count: b"7" * count)
    with Shopward.open(Settings(data=str(folder), vault_passphrase=NEW), clock=clock) as shop:
        assert shop.vault.custody.look("o-1", "screen").fields["city"] == "Jakarta"
    (folder / "vault.root").unlink()
    with pytest.raises(Misconfigured):
        Shopward.open(Settings(data=str(folder), vault_passphrase=NEW), clock=clock)


def test_the_root_moves_to_an_age_identity_while_it_serves(tmp_path, clock):
    """The keys are wrapped anew, the old root is refused afterwards, the new one opens."""
    pyrage = pytest.importorskip("pyrage")
    identity = tmp_path / "vault.age"
    identity.write_text(f"# created by age-keygen\n{pyrage.x25519.Identity.generate()}\n")
    folder, age = str(tmp_path / "data"), f"age:{identity}"
    with Shopward.open(Settings(data=folder, vault_root_next=age), clock=clock) as shop:
        shop.vault.custody.put(SHOP, [order()])
        assert shop.vault.rekeying.move_root(ANI) == 4
        shop.vault.rekeying.begin(ANI, "kek")
        assert shop.vault.custody.look("o-1", "screen").fields["city"] == "Jakarta"
    with pytest.raises(StoreError) as refused:
        Shopward.open(Settings(data=folder), clock=clock)
    assert refused.value.code == "root_differs"
    with Shopward.open(Settings(data=folder, vault_root=age), clock=clock) as shop:
        finish(shop)
        assert reveal(shop, ANI, ask())
    identity.write_text(f"{pyrage.x25519.Identity.generate()}\n")
    with pytest.raises(StoreError):
        Shopward.open(Settings(data=folder, vault_root=age), clock=clock)


OLD, NEW = "kuda lumping 7", "kuda liar"
MODULES = ("/usr/lib/softhsm/libsofthsm2.so", "/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so")
STORY = """
import sys, os, subprocess, pkcs11
module, folder = sys.argv[1:]
from pathlib import Path
from shopward.config import Settings
from shopward.errors import Misconfigured
from shopward.service import Shopward
from vault.conftest import SHOP, order
with pkcs11.lib(module).get_token(token_label="shop").open(rw=True, user_pin="1234") as session:
    session.generate_key(pkcs11.KeyType.AES, 256, label="root", store=True)
root = f"pkcs11:{module}?token=shop&key=root"
settings = Settings(data=folder, vault_root=root, vault_pin="1234")
with Shopward.open(settings) as shop:
    shop.vault.custody.put(SHOP, [order()])
with Shopward.open(settings) as shop:
    assert shop.vault.custody.look("o-1", "screen").fields["city"] == "Jakarta"
    root = shop.vault.room.keys._root
    wrapped = root.wrap(bytes(32), b"here")
    assert root.unwrap(wrapped, b"here") == bytes(32)
    for spoilt, place in ((wrapped, b"there"), (wrapped[:-1] + bytes([wrapped[-1] ^ 1]), b"here")):
        try:
            root.unwrap(spoilt, place)
        except Exception as error:
            assert error.code == "seal_broken", error
        else:
            raise AssertionError("it opened")
try:
    Shopward.open(Settings(data=folder, vault_root=root.name and f"pkcs11:{module}?token=shop&key=none", vault_pin="1234"))
except Misconfigured:
    print("done")
"""


def test_the_root_in_a_token_never_leaves_it(tmp_path):
    """SoftHSM: the vault opens through the token, another place or a changed byte does not, and a missing key is told."""
    pytest.importorskip("pkcs11")
    module = next((each for each in MODULES if Path(each).exists()), None)
    if module is None:
        pytest.skip("no SoftHSM here: apt install softhsm2")
    (tmp_path / "tokens").mkdir()
    (tmp_path / "softhsm.conf").write_text(
        f"directories.tokendir = {tmp_path}/tokens\nobjectstore.backend = file\n"
    )
    environment = {**os.environ, "SOFTHSM2_CONF": str(tmp_path / "softhsm.conf")}
    tests = str(Path(__file__).parents[1])
    environment["PYTHONPATH"] = tests + ":" + environment.get("PYTHONPATH", "")
    subprocess.run(
        ["softhsm2-util", "--init-token", "--free", "--label", "shop", "--pin", "1234", "--so-pin", "4321"],
        env=environment, check=True, capture_output=True,
    )  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-c", STORY, module, str(tmp_path / "data")],
        env=environment,
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.stdout.strip() == "done", done.stderr[-2000:]
