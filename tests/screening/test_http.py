"""Screening over HTTP and on the command line."""

from __future__ import annotations

import json
import time
import tomllib

import pytest
from click.testing import CliRunner

from screening.shop import TOML
from serving import Server
from shopward.cli import main

PROFILE = tomllib.loads(TOML)


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """A running server, whose shop has no profile yet."""
    with Server(tmp_path_factory.mktemp("screening"), policy=None) as running:
        yield running


@pytest.fixture
def shop_file(tmp_path):
    """The profile as a file."""
    file = tmp_path / "shop.toml"
    file.write_text(TOML, encoding="utf-8")
    return file


def test_a_profile_is_published_and_judges_from_then_on(server):
    """Before it there is no verdict; after it the shop's link is official and the look-alike is named, in Chinese."""
    status, body = server.post("/v1/screen/links", {"url": "tokonusa.co.id"})
    assert (status, json.loads(body)["code"]) == (404, "no_profile")
    status, body = server.post("/v1/screen/profile", PROFILE, method="PUT")
    published = json.loads(body)
    assert (status, published["number"]) == (200, 1)
    status, body = server.post("/v1/screen/links", {"url": "tokonusa.co.id", "id": "7"})
    assert (status, json.loads(body)["verdict"], json.loads(body)["id"]) == (200, "official", "7")
    status, body = server.post(
        "/v1/screen/links", {"url": "https://t0konusa.com"}, **{"Accept-Language": "zh"}
    )
    said = json.loads(body)
    assert (said["verdict"], said["brand"], said["profile"]) == (
        "dangerous",
        "Toko Nusantara",
        published["version"],
    )
    assert said["reasons"][0] == {
        "code": "brand_homograph",
        "text": "用形近字符冒充店名，并非本店网址：t0konusa.com。",
        "span": [8, 16],
    }  # what the learned part adds is the bundle's


def test_a_new_official_domain_counts_within_a_second(server):
    """And a profile that would call the shop's own somebody else's is refused; the one in force stays."""
    server.post("/v1/screen/profile", PROFILE, method="PUT")
    wider = PROFILE | {"official_domains": [*PROFILE["official_domains"], "tokonusa.example"]}
    started = time.monotonic()
    assert server.post("/v1/screen/profile", wider, method="PUT")[0] == 200
    _, body = server.post("/v1/screen/links", {"url": "https://tokonusa.example"})
    assert json.loads(body)["verdict"] == "official"
    assert time.monotonic() - started < 10
    broken = PROFILE | {
        "partners": [{"name": "P", "domains": ["m.tokonusa.co.id"]}],
        "hosted_pages": ["m.tokonusa.co.id"],
    }
    status, body = server.post("/v1/screen/profile", broken, method="PUT")
    assert (status, json.loads(body)["code"]) == (422, "profile_refused")
    everybodys = PROFILE | {"short_domains": ["bit.ly"]}
    status, body = server.post("/v1/screen/profile", everybodys, method="PUT")
    assert (status, json.loads(body)["path"]) == (422, "short_domains[0]")
    _, body = server.get("/v1/screen/profile")
    assert "tokonusa.example" in json.loads(body)["profile"]["official_domains"]


def test_lines_are_answered_in_order_and_a_bad_one_spoils_none(server):
    """A problem stands on its line."""
    server.post("/v1/screen/profile", PROFILE, method="PUT")
    lines = (
        b'{"id":"1","sender":"TOKONUSA","channel":"sms"}\n{"sender":1}\n\n{"id":"3","sender":"T0KONUSA"}\n'
    )
    status, body = server.post("/v1/screen/senders", lines, content_type="application/x-ndjson")
    said = [json.loads(line) for line in body.splitlines()]
    assert status == 200
    assert [each.get("verdict", each.get("code")) for each in said] == [
        "official",
        "invalid_field",
        "dangerous",
    ]
    assert said[1]["line"] == 2


def test_the_command_answers_values_and_lines(shop_file):
    """One value ends with 1 where it is bad; lines keep their ids and end with 0."""
    run = CliRunner().invoke
    good = run(main, ["screen", "link", "https://tokonusa.co.id/", "--profile", str(shop_file)])
    assert (good.exit_code, json.loads(good.output)["verdict"]) == (0, "official")
    bad = run(main, ["screen", "link", "tokonusa.shop", "--profile", str(shop_file), "--language", "id"])
    assert (bad.exit_code, json.loads(bad.output)["verdict"]) == (1, "dangerous")
    many = run(
        main, ["screen", "link", "-", "--profile", str(shop_file)],
        input='{"id":"a","url":"tokonusa.co.id"}\n{"id":"b","url":"http://tokonusa.co.id.x.cn"}\n',
    )  # fmt: skip
    assert many.exception is None, many.exception
    said = [json.loads(line) for line in many.output.splitlines()]
    assert [(each["id"], each["verdict"]) for each in said] == [("a", "official"), ("b", "dangerous")]
    assert many.exit_code == 0
    refused = run(main, ["screen", "sender", "-", "--profile", str(shop_file)], input="nonsense\n")
    assert (refused.exit_code, json.loads(refused.output)["code"]) == (1, "malformed_input")


def test_the_command_checks_a_profile(shop_file):
    """A good one is told with its warnings, one with a misspelled field is refused."""
    checked = CliRunner().invoke(main, ["screen", "profile", str(shop_file), "--json"])
    assert (checked.exit_code, set(json.loads(checked.output))) == (0, {"version", "warnings"})
    shop_file.write_text(TOML.replace("official_domains", "oficial_domains"), encoding="utf-8")
    assert CliRunner().invoke(main, ["screen", "profile", str(shop_file)]).exit_code == 1
