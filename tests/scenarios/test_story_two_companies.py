"""The hacked identity, as it could have gone: the company whose accounts were stolen tells, and the wallet acts in the same second.

Two Shopwards as two processes: the identity provider's own, and the wallet's. Nothing between them but Shared Signals over HTTP.
"""

from __future__ import annotations

import json
import socket
import time

from click.testing import CliRunner

from serving import Server
from shopward.cli import main
from shopward.http.partner_paths import EXAMPLE
from shopward.values import DAY_MS, SystemClock, to_rfc3339

LINKED = {"li": "apple-1", "wang": "apple-1", "chen": "apple-2", "agus": "apple-3"}
"""Whose foreign account signs in to which of the wallet's: Li and Wang are a household."""
PATIENCE_S = 150
NOW = SystemClock()


def company(folder, name):
    """A server that other companies reach."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    address = {"SHOPWARD_SIGNALS_URL": f"http://127.0.0.1:{port}"}
    return Server(folder / name, "--port", port, policy=None, environment=address)


def run(server, *words, text=None):
    """What a command says of a server, as JSON."""
    done = CliRunner(env={"SHOPWARD_KEY": server.key}).invoke(
        main, [*words, "--url", server.url, "--json"], input=text
    )
    assert done.exit_code == 0, done.output
    return json.loads(done.output)


def asked(server, method, path, body=None):
    """The answer of a call, which succeeds."""
    status, said = server.post(path, body or {}, method=method) if method != "GET" else server.get(path)
    assert status < 300, said
    return json.loads(said) if said else None


def event(name, kind, user, **more):
    """Something that a customer does, now."""
    made = {
        "id": name,
        "type": kind,
        "status": "succeeded",
        "time": to_rfc3339(NOW.now_ms()),
        "user": {"id": user},
    }
    return made | {"context": {"ip": "198.51.100.7", "device_id": f"of-{user}", "country": "CN"}} | more


def pays(wallet, name, user, amount_minor=5_00):
    """The decision on a payment through the linked identity."""
    paid = {"id": f"t-{name}", "amount_minor": amount_minor, "currency": "CNY", "instrument": "linked", "payee_id": "m-1", "identity_provider": "apple"}  # fmt: skip
    return asked(
        wallet, "POST", "/v1/decisions", event(name, "payment", user, status="attempted", transaction=paid)
    )


def until(happens):
    """What is told once it is so."""
    give_up = time.monotonic() + PATIENCE_S
    while not (found := happens()):
        assert time.monotonic() < give_up, "it never happened"
        time.sleep(0.05)
    return found


def asks(wallet):
    """Who was down has what waits for it told at once, by a verification; one a minute is let through."""
    words = ("signals", "transmitter", "verify", "apple", "--url", wallet.url)
    return CliRunner(env={"SHOPWARD_KEY": wallet.key}).invoke(main, words).exit_code in (0, 1)


def kinds(wallet):
    """Kinds of orders in force at the wallet by how many there are."""
    found = [each["kind"] for each in asked(wallet, "GET", "/v1/orders?state=active")["orders"]]
    return {kind: found.count(kind) for kind in found}


def introduced(provider, wallet):
    """The two companies know each other: a partner with that purpose here, a transmitter there, proved by a verification."""
    partner = EXAMPLE | {"id": "wallet", "kind": "payment", "scope": {"signals": ["subject"]}}
    run(provider, "partner", "register", "-", text=json.dumps(partner))
    token = run(provider, "signals", "receiver", "add", "wallet", "--audience", "https://wallet.example/")[
        "token"
    ]
    told = {"id": "apple", "provider": "apple", "issuer": provider.url, "access_token": token}
    made = run(wallet, "signals", "transmitter", "add", "-", text=json.dumps(told))
    assert (made["audience"], made["status"]) == (["https://wallet.example/"], "enabled")
    run(wallet, "signals", "transmitter", "verify", "apple")
    until(lambda: "verified_at" in run(wallet, "signals", "transmitter", "list")["transmitters"][0])


def linked(provider, wallet):
    """Customers sign in to the wallet with their accounts at the provider, which knows them to the wallet by that name."""
    for user, foreign in LINKED.items():
        at = {"identity_provider": "apple"}
        named = [{"field": "identity", "new_token": foreign}]
        asked(
            wallet,
            "POST",
            "/v1/decisions",
            event(f"l-{user}", "identity_link", user, transaction=at, changes=named),
        )
        subject = {"format": "iss_sub", "iss": provider.url, "sub": foreign}
        asked(provider, "PUT", f"/v1/signals/receivers/wallet/subjects/own-{foreign}", {"subject": subject})
    lines = "\n".join(json.dumps({"id": user, "identity_providers": ["apple"]}) for user in LINKED).encode()
    assert wallet.post("/v1/users/batch", lines, "application/x-ndjson")[0] == 200


def stolen(provider, foreign):
    """The provider finds an account of its own taken over, and freezes it."""
    ends = to_rfc3339(NOW.now_ms() + DAY_MS)
    order = {"kind": "freeze", "scope": ["everything"], "target": {"user": f"own-{foreign}"}, "reason": "takeover", "ends_at": ends}  # fmt: skip
    asked(provider, "POST", "/v1/orders", order)


def test_the_other_company_tells(tmp_path):
    """One stolen account there protects the household here, and nobody else; the wallet is down for the second, and hears of it all the same."""
    with company(tmp_path, "provider") as provider, company(tmp_path, "wallet") as wallet:
        introduced(provider, wallet)
        linked(provider, wallet)
        assert {pays(wallet, f"p-{user}", user)["decision"] for user in LINKED} <= {"allow", "review"}
        until(
            lambda: asked(
                wallet, "POST", "/v1/links", {"kind": "identity", "token": "apple-3", "provider": "apple"}
            )["accounts"]
        )

        stolen(provider, "apple-1")
        until(lambda: kinds(wallet) == {"step_up": 2, "unlink": 2, "revoke": 2})
        answers = {user: pays(wallet, f"q-{user}", user) for user in LINKED}
        assert {user: bool(each["orders"]) for user, each in answers.items()} == {
            "li": True, "wang": True, "chen": False, "agus": False,
        }  # fmt: skip
        assert {answers[user]["decision"] for user in ("li", "wang")} == {"challenge"}

        wallet.kill()
        stolen(provider, "apple-2")
        until(
            lambda: (
                run(provider, "signals", "receiver", "list")["receivers"][0].get("last_code") == "no_answer"
            )
        )
        wallet.url = ""
        wallet.start()
        until(lambda: asks(wallet) and kinds(wallet) == {"step_up": 3, "unlink": 3, "revoke": 3})
        assert pays(wallet, "r-chen", "chen")["decision"] == "challenge"

        ends = to_rfc3339(NOW.now_ms() + DAY_MS)
        limit = {"amount_minor": 50_00, "currency": "CNY", "window_s": 86_400}
        asked(
            wallet,
            "POST",
            "/v1/advisories",
            {"provider": "apple", "incident": "inc-1", "limit": limit, "ends_at": ends},
        )
        assert pays(wallet, "s-agus", "agus", 51_00)["decision"] == "deny"
        (shown,) = run(wallet, "signals", "transmitter", "list")["transmitters"]
        assert shown["received"] == {"acted": 2, "stream": 1}  # the provider tried the stream first
        (told,) = run(provider, "signals", "receiver", "list")["receivers"]
        assert (told["subjects"], told["tokens"]) == (3, {"taken": told["tokens"]["taken"]})
