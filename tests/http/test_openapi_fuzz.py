"""Schemathesis against our own document: whatever fits it, or nearly fits it, is answered as the document says.

A real server on loopback; nothing else is spoken to. Schemathesis makes the requests and judges the answers; its pytest
plugin is left alone, since it depends on pytest's inside.
"""

import json
from base64 import b64encode

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from serving import Server, event
from shopward.http.partner_paths import EXAMPLE
from shopward.http.reference import document

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
CALLS = [(path, method) for path, methods in document()["paths"].items() for method in methods]


@schemathesis.serializer("application/x-ndjson")
def _ndjson(_context, value):
    """Lines as they were made, whatever they are."""
    return value if isinstance(value, bytes) else str(value).encode("utf-8", "replace")


@pytest.fixture(scope="module")
def api(tmp_path_factory):
    """A running server that knows one user and one receiver of Shared Signals, and its document."""
    address = {"SHOPWARD_SIGNALS_URL": "http://127.0.0.1:1"}
    with Server(tmp_path_factory.mktemp("api") / "data", environment=address) as server:
        server.decide(event(1))
        server.post("/v1/partners", EXAMPLE | {"id": "wallet", "scope": {"signals": ["subject"]}})
        _status, made = server.post(
            "/v1/signals/receivers", {"partner": "wallet", "audience": "https://wallet.example/"}
        )
        server.receiver = json.loads(made)["token"]
        yield server, schemathesis.openapi.from_url(server.url + "/openapi.json")
    assert not [line for line in server.err if "Traceback" in line]


def key_headers(operation, server):
    """The key as this call reads it: ours is a bearer's, receivers have their own, and other products another way."""
    key = server.key
    (scheme,) = next(iter(operation.get("security") or [{"key": []}]))
    return {
        "key": {"Authorization": f"Bearer {key}"},
        "castle": {"Authorization": "Basic " + b64encode(f":{key}".encode()).decode()},
        "tirreno": {"Api-Key": key},
        "receiver": {"Authorization": f"Bearer {server.receiver}"},
    }[scheme]


def fuzzed(operation, check, mode, examples):
    """Run a check on generated requests."""

    @settings(
        max_examples=examples,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        derandomize=True,
        database=None,
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def run(case):
        check(case)

    run()


@pytest.mark.parametrize(("path", "method"), CALLS)
def test_every_call_answers_as_documented(api, path, method):
    """Statuses, content types, headers and shapes are those of the document, and no answer is a server fault."""
    server, schema = api
    headers = key_headers(document()["paths"][path][method], server)
    modes = [GenerationMode.POSITIVE]
    if path.startswith("/v1/"):
        modes.append(GenerationMode.NEGATIVE)
    for mode in modes:
        fuzzed(
            schema[path][method],
            lambda case: case.call_and_validate(headers=headers, checks=CHECKS),
            mode,
            40,
        )


@pytest.mark.parametrize(("path", "method"), [call for call in CALLS if call[0].startswith("/v1/")])
def test_no_call_ignores_a_missing_key(api, path, method):
    """Without a key, or with a wrong one, every call under /v1 is a 401."""
    _server, schema = api

    def check(case):
        for headers in ({}, {"Authorization": "Bearer sw_wrong"}):
            case.headers.pop("Authorization", None)
            assert case.call(headers=headers).status_code == 401

    fuzzed(schema[path][method], check, GenerationMode.POSITIVE, 3)
