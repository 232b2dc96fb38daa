"""A learned part of one's own: it judges, is exchanged and put back while the server runs, and is refused whole."""

from __future__ import annotations

import json
import os
import tomllib
from importlib import resources

import msgspec
import pytest
from click.testing import CliRunner

from screening.shop import TOML
from serving import Server
from shopward.access import Caller
from shopward.cli import main
from shopward.flows import screen
from shopward.flows.screen import LinkAsked, MessageAsked
from shopward.screening.links.learned.bundle import pack, unpack
from shopward.screening.links.learned.model import Marks
from shopward.screening.messages import learned as wording

ANALYST = Caller("siti-laptop", "siti", ("analyst",))
PROFILE = tomllib.loads(TOML)
FRAUD = "http://paypal-login.secure-verify7.tk/webscr/login.php"
SHIPPED = (resources.files("shopward.screening.links.learned") / "shipped.links").read_bytes()
WORDING = (resources.files("shopward.screening.messages") / "messages.json").read_bytes()
PRIZE = "Selamat! Nomor Anda menang undian 50 juta, hubungi 0812-3456-7890 sekarang"


def marked(faint, suspicious, dangerous):
    """The bundle that ships with other marks."""
    whole = unpack(SHIPPED)
    marks = Marks(faint, suspicious, dangerous)
    model = msgspec.structs.replace(whole.model, host_marks=marks, link_marks=marks)
    return pack(msgspec.structs.replace(whole, model=model))


SILENT = marked(10**6, 10**6 + 1, 10**6 + 2)
LOUD = marked(-(10**6), 1 - 10**6, 2 - 10**6)


def older(bundle):
    """A whole bundle that says it is of another release."""
    whole = unpack(bundle)
    return pack(
        msgspec.structs.replace(whole, head=msgspec.structs.replace(whole.head, format="shopward-links/1"))
    )


def put(file, raw):
    """Write a file as ``train`` does, whole and under another time."""
    fresh = file.with_suffix(".new")
    fresh.write_bytes(raw)
    stamp = (file.stat().st_mtime_ns if file.exists() else 0) + 10**9
    os.utime(fresh, ns=(stamp, stamp))
    fresh.replace(file)


@pytest.fixture(autouse=True)
def _look_each_time(monkeypatch):
    """Every question looks for what is new."""
    monkeypatch.setattr(screen, "LOOK_S", 0.0)


def learned_reasons(shop):
    """Whether the learned part speaks against a link of fraud, and the version that judged."""
    said = shop.screening.link(LinkAsked(FRAUD), "en")
    return any(reason.code.startswith("learned_") for reason in said.reasons), said.model


def test_a_bundle_is_exchanged_refused_and_put_back_while_the_shop_is_open(opened, tmp_path, caplog):
    """A damaged one leaves the one before in force and is told with its reason; the former file judges again."""
    file = tmp_path / "links.bundle"
    put(file, SILENT)
    with opened(link_bundle=str(file)) as shop:
        shop.screening.publish(ANALYST, PROFILE)
        speaks, silent = learned_reasons(shop)
        assert not speaks
        put(file, SHIPPED)
        speaks, shipped = learned_reasons(shop)
        assert speaks
        assert shipped != silent
        for broken, why in (
            (SILENT[:999], "damaged"),
            (older(SILENT), "another format or version"),
            (LOUD, "flagged"),
        ):
            caplog.clear()
            put(file, broken)
            assert learned_reasons(shop) == (True, shipped)
            assert shop.screening.bundles_refused == 1
            assert why in caplog.text
        file.unlink()
        assert learned_reasons(shop) == (True, shipped)
        put(file, SILENT)
        assert learned_reasons(shop) == (False, silent)
        assert shop.screening.bundles_refused == 0


@pytest.mark.parametrize("raw", [None, b"", b"{}", WORDING, older(SILENT), LOUD])
def test_what_cannot_be_used_at_the_start_leaves_the_bundle_that_ships(opened, tmp_path, raw):
    """A missing, foreign or older file stops nothing."""
    file = tmp_path / "links.bundle"
    if raw is not None:
        file.write_bytes(raw)
    with opened() as shop:
        shop.screening.publish(ANALYST, PROFILE)
        shipped = learned_reasons(shop)
    with opened(link_bundle=str(file)) as shop:
        assert learned_reasons(shop) == shipped
        assert shop.screening.bundles_refused == 1


def other_wording(bias=-50.0):
    """The bundle of messages that ships with another bias; with this one nothing is fraud."""
    bundle = msgspec.json.decode(WORDING, type=wording.Bundle)
    return wording.pack(msgspec.structs.replace(bundle, bias=bias))


@pytest.mark.parametrize(
    ("raw", "why"),
    [(WORDING.replace(b"messages 2", b"messages 1"), "another format or version"), (WORDING[:-9], "damaged"),
     (WORDING.replace(b'"bias":-0.0', b'"bias":-1.0'), "another"), (SHIPPED, "damaged"),
     (other_wording(bias=50.0), "of ordinary messages flagged")],
)  # fmt: skip
def test_a_bundle_of_messages_is_refused_with_its_reason(opened, tmp_path, caplog, raw, why):
    """The one that ships goes on judging."""
    file = tmp_path / "messages.bundle"
    file.write_bytes(raw)
    with opened(message_bundle=str(file)) as shop:
        shop.screening.publish(ANALYST, PROFILE)
        assert shop.screening.message(MessageAsked(PRIZE), "en").model == json.loads(WORDING)["check"][:12]
        assert shop.screening.bundles_refused == 1
        assert why in caplog.text


def test_a_bundle_on_trial_is_counted_and_changes_nothing(opened, tmp_path):
    """Links and messages by what was said and what it would have said; the shop's own link is the same to both."""
    links, messages = tmp_path / "links.bundle", tmp_path / "messages.bundle"
    links.write_bytes(SILENT)
    messages.write_bytes(other_wording())
    with opened() as shop:
        shop.screening.publish(ANALYST, PROFILE)
        before = (
            shop.screening.link(LinkAsked(FRAUD), "en"),
            shop.screening.message(MessageAsked(PRIZE), "en"),
        )
        assert shop.screening.trial.all() == {}
    with opened(link_bundle_shadow=str(links), message_bundle_shadow=str(messages)) as shop:
        asked = shop.screening.link(LinkAsked(FRAUD), "en"), shop.screening.message(MessageAsked(PRIZE), "en")
        assert asked == before
        shop.screening.link(LinkAsked("tokonusa.co.id"), "en")
        counts = shop.screening.trial.all()
        assert counts["link", "official", "official"] == 1
        assert counts["link", asked[0].verdict, "unknown"] == 1
        assert counts["message", asked[1].verdict, "unknown"] == 1


def test_the_server_tells_in_its_metrics_what_is_on_trial_and_what_is_refused(tmp_path):
    """Numbers and closed words alone."""
    (tmp_path / "trial.bundle").write_bytes(SILENT)
    (tmp_path / "broken.bundle").write_bytes(b"nonsense")
    (tmp_path / "shop.toml").write_text(TOML, encoding="utf-8")
    environment = {"SHOPWARD_LINK_BUNDLE_SHADOW": str(tmp_path / "trial.bundle")}
    flags = ("--profile", tmp_path / "shop.toml", "--message-bundle", tmp_path / "broken.bundle")
    with Server(tmp_path / "data", *flags, policy=None, environment=environment) as server:
        status, body = server.post("/v1/screen/links", {"url": "https://tokonusa.co.id/"})
        assert (status, json.loads(body)["verdict"]) == (200, "official")
        _, text = server.get("/metrics")
    assert 'shopward_screening_trial_total{what="link",in_force="official",on_trial="official"} 1' in str(
        text
    )
    assert "shopward_screening_bundles_refused 1" in str(text)


def test_the_command_says_what_a_bundle_is_and_refuses_what_a_server_would(tmp_path):
    """By its content, whatever the file is called; a bundle judges the links of a message, too."""
    for name, raw, kind in (("a", SILENT, "links"), ("b", WORDING, "messages")):
        file = tmp_path / name
        file.write_bytes(raw)
        ran = CliRunner().invoke(main, ["screen", "bundle", str(file), "--json"])
        assert (ran.exit_code, json.loads(ran.stdout)["kind"]) == (0, kind)
    for raw in (LOUD, other_wording(bias=50.0), older(SILENT), b"PK", b""):
        (tmp_path / "c").write_bytes(raw)
        assert CliRunner().invoke(main, ["screen", "bundle", str(tmp_path / "c")]).exit_code == 1
    text = f"Please see {FRAUD}"
    codes = []
    for more in ([], ["--link-bundle", str(tmp_path / "a")]):
        ran = CliRunner().invoke(main, ["screen", "message", text, *more])
        codes.append({reason["code"] for reason in json.loads(ran.stdout)["reasons"]})
    assert codes[0] - codes[1]
    assert all(code.startswith("learned_") for code in codes[0] - codes[1])
