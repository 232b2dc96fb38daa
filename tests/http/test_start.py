"""Starting and stopping a real server: what is refused, what is printed, what survives."""

import json
import shutil
import ssl
import subprocess
import urllib.error
import urllib.request

import pytest

from serving import POLICY, Server, event, failed_login
from shopward.config import Settings, settings_from
from shopward.errors import Misconfigured, PolicyInvalid, StoreLocked
from shopward.service import Shopward


def refused(data, *flags, policy=POLICY):
    """Exit code and error output of a server that does not start."""
    server = Server(data, *flags, policy=policy)
    done = subprocess.run(server.command, capture_output=True, text=True, timeout=60, check=False)
    assert "Traceback" not in done.stderr
    assert "listening" not in done.stdout
    return done.returncode, done.stderr


def test_the_key_is_printed_once_and_files_are_private(tmp_path):
    """First start: the key on a line of its own; later starts: none, and the key still works."""
    data = tmp_path / "data"
    with Server(data) as first:
        assert [line for line in first.out if line.startswith("API key: sw_")] == [f"API key: {first.key}\n"]
        assert len(first.key) == 46
        assert first.decide(event(1))[0] == 200
    assert first.process.returncode == 0
    with Server(data, key=first.key) as second:
        assert not [line for line in second.out if "sw_" in line]
        assert second.decide(event(2))[0] == 200
    assert oct(data.stat().st_mode & 0o777) == "0o700"
    for file in data.iterdir():
        assert oct(file.stat().st_mode & 0o777) == "0o600", file.name
        assert first.key.encode() not in file.read_bytes()
    assert (data / "state.snapshot").exists()


def test_a_second_server_on_one_store_is_refused(tmp_path):
    """Exit 1 and who holds it; the first goes on. An embedded one is refused too."""
    with Server(tmp_path / "data") as server:
        code, said = refused(tmp_path / "data")
        assert code == 1
        assert f"process {server.process.pid}" in said
        with pytest.raises(StoreLocked):
            Shopward.open(Settings(data=str(tmp_path / "data"), policy=str(POLICY)))
        assert server.decide(event(1))[0] == 200


def test_listening_beyond_loopback_takes_tls_or_a_declared_proxy(tmp_path):
    """Exit 2 with what to do; nothing is opened."""
    for host in ("0.0.0.0", "::", "192.0.2.1", "shop.example"):  # noqa: S104 -- that is what is refused
        code, said = refused(tmp_path / "data", "--host", host)
        assert code == 2
        assert "--tls-cert" in said
        assert "--behind-proxy" in said
    assert not (tmp_path / "data").exists()
    with Server(tmp_path / "data", "--host", "0.0.0.0", "--behind-proxy") as server:  # noqa: S104 -- declared
        assert not [line for line in server.out if "once=" in line]


@pytest.mark.skipif(shutil.which("openssl") is None, reason="needs openssl to make a certificate")
def test_tls_is_served(tmp_path):
    """HTTPS with HSTS on the answers."""
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=localhost", "-days", "1",
         "-keyout", tmp_path / "key.pem", "-out", tmp_path / "cert.pem"],
        check=True, capture_output=True,
    )  # fmt: skip
    server = Server(tmp_path / "data", "--tls-cert", tmp_path / "cert.pem", "--tls-key", tmp_path / "key.pem")
    context = ssl.create_default_context(cafile=tmp_path / "cert.pem")
    context.check_hostname = False

    def get(path):
        try:
            with urllib.request.urlopen(server.url + path, context=context) as answer:  # noqa: S310 -- our own server
                return answer.status, answer.headers
        except urllib.error.HTTPError as not_yet:
            with not_yet:
                return not_yet.code, not_yet.headers

    server.get = get
    with server:
        assert server.url.startswith("https://")
        assert get("/healthz")[1]["strict-transport-security"].startswith("max-age=")


def test_settings_that_cannot_work_are_refused_without_their_values(tmp_path):
    """Exit 2, the setting's name, what was expected; never the value."""
    for flags, words in (
        (("--state", "redis://:hunter2@cache/0"), "not available in this version"),
        (("--tls-cert", "missing.pem"), "tls_key"),
        (("--tls-cert", "missing.pem", "--tls-key", "missing.pem"), "PEM"),
        (("--database", "oracle://u:hunter2@db/x"), "not supported"),
        (("--database", "::hunter2::"), "cannot be read"),
    ):
        code, said = refused(tmp_path / "data", *flags)
        assert code == 2, said
        assert words in said
        assert "hunter2" not in said
    for name, value in (("PORT", "a70000z"), ("PORT", "70000"), ("SNAPSHOT_S", "soon"), ("GROUP_MAX", "0")):
        with pytest.raises(Misconfigured) as wrong:
            settings_from({f"SHOPWARD_{name}": value})
        assert wrong.value.path == name.lower()
        assert value not in str(wrong.value)
    assert settings_from({"SHOPWARD_PORT": "1", "SHOPWARD_BEHIND_PROXY": "true"}, port=2).port == 2


def test_a_policy_that_does_not_compile_ends_the_start(tmp_path):
    """Exit 2, the rule's name and place."""
    policy = tmp_path / "policy"
    shutil.copytree(POLICY, policy)
    rules = policy / "rules" / "one.toml"
    rules.write_text(
        rules.read_text(encoding="utf-8").replace("f.user_failures_1h >= 4", "f.no_such >= 4"),
        encoding="utf-8",
    )
    code, said = refused(tmp_path / "data", policy=policy)
    assert code == 2
    assert "many_failures" in said
    assert "no_such" in said
    with pytest.raises(PolicyInvalid):
        Shopward.open(Settings(data=str(tmp_path / "data"), policy=str(policy)))
    rules.write_text("this is = = no TOML", encoding="utf-8")
    assert refused(tmp_path / "data", policy=policy)[0] == 2
    assert refused(tmp_path / "data", policy=tmp_path / "nowhere")[0] == 2


def test_a_missing_token_key_beside_a_log_is_an_error_and_no_new_key(tmp_path):
    """Under a new key all that is known would be strange; so nothing starts."""
    data = tmp_path / "data"
    with Server(data) as server:
        server.decide(event(1))
    kept = (data / "token.key").read_bytes()
    (data / "token.key").unlink()
    code, said = refused(data)
    assert code == 2
    assert "token key" in said
    assert not (data / "token.key").exists()
    (data / "token.key").write_bytes(b"short")
    assert refused(data)[0] == 2
    (data / "token.key").write_bytes(kept)
    (data / "api-keys.json").write_text("{]")
    assert refused(data)[0] == 2


@pytest.mark.parametrize("harm", ["corrupt", "truncated", "missing", "of another policy"])
def test_a_broken_snapshot_is_rebuilt_from_the_log(tmp_path, harm):
    """The state is as if nothing had happened: the fourth failure is challenged."""
    data = tmp_path / "data"
    with Server(data) as server:
        for number in range(1, 4):
            server.decide(failed_login(number))
    snapshot = data / "state.snapshot"
    whole = snapshot.read_bytes()
    if harm == "corrupt":
        snapshot.write_bytes(whole[:-3] + b"abc")
    elif harm == "truncated":
        snapshot.write_bytes(whole[: len(whole) // 2])
    elif harm == "missing":
        snapshot.unlink()
    policy = POLICY
    if harm == "of another policy":
        policy = tmp_path / "policy"
        shutil.copytree(POLICY, policy)
        features = policy / "features.toml"
        features.write_text(features.read_text() + '\n[feature.more]\nmeasure = "age"\nkey = ["user.id"]\n')
    with Server(data, key=server.key, policy=policy) as again:
        assert json.loads(again.decide(failed_login(4))[1])["decision"] == "challenge"


def test_the_embedded_engine_decides_without_a_server(tmp_path):
    """Bytes or a dictionary in, the contract's decision out; problems are raised; a second opening is refused."""
    settings = Settings(data=str(tmp_path / "data"), policy=str(POLICY))
    with Shopward.open(settings) as shop:
        for number in range(1, 4):
            assert shop.decide(failed_login(number)).decision == "allow"
        decision = shop.decide(json.dumps(failed_login(4)).encode(), language="id")
        assert (decision.decision, decision.reasons[0].text) == (
            "challenge",
            "Terlalu banyak percobaan masuk.",
        )
        with pytest.raises(StoreLocked):
            Shopward.open(settings)
    with Shopward.open(settings) as shop:
        assert shop.decide(failed_login(4), language="id") == decision
