"""The reference: an OpenAPI 3.1 document made from the structs that the calls themselves use, and a page of it.

Promise: shapes, lengths and vocabularies in the document are those of the code, since they are generated from it; the
page is rendered from the document and needs nothing from outside. Both are public: they hold nothing of a shop.
"""

from __future__ import annotations

from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import msgspec
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.responses import HTMLResponse, Response

from shopward.audit import CheckpointFile
from shopward.events import Event
from shopward.findings import FINDING_STATES
from shopward.flows.advise import AdvisoryAsked
from shopward.flows.authorize import Settled
from shopward.flows.protect import Exempted
from shopward.flows.publish import Checked
from shopward.flows.trace import LinksAsked, LinksView
from shopward.flows.victims import SealAsked, SetAsked
from shopward.flows.wording import Decision
from shopward.http.account_paths import ACCOUNT_SHAPES, account_paths
from shopward.http.advisories import AdvisoryExempted, AdvisoryView
from shopward.http.alias_paths import ALIAS_SHAPES, alias_paths
from shopward.http.audit import CHECKPOINT
from shopward.http.campaigns import Campaigns, CampaignView, Findings, FindingSettled, FindingView
from shopward.http.claim_paths import CLAIM_SHAPES, claim_paths
from shopward.http.complaint_paths import COMPLAINT_SHAPES, complaint_paths
from shopward.http.conversation_paths import CONVERSATION_SHAPES, conversation_paths
from shopward.http.cooperation import cooperation_paths
from shopward.http.hot import BATCH, DECISIONS, EVENTS, Accepted
from shopward.http.incident_paths import INCIDENT_SHAPES, incident_paths
from shopward.http.ledger_paths import LEDGER_SHAPES, ledger_paths
from shopward.http.line_paths import LINE_SHAPES, line_paths
from shopward.http.money import AuthorizationView, DeclaredAnswer
from shopward.http.notice_paths import NOTICE_SHAPES, notice_paths
from shopward.http.openapi import ID as _ID
from shopward.http.openapi import answer as _answer
from shopward.http.openapi import bare as _bare
from shopward.http.openapi import content as _content
from shopward.http.openapi import get as _get
from shopward.http.openapi import on_id as _on_id
from shopward.http.openapi import on_page as _on_page
from shopward.http.openapi import parameter as _parameter
from shopward.http.openapi import portable
from shopward.http.openapi import post as _post
from shopward.http.openapi import problems as _problems
from shopward.http.openapi import request_id as _request_id
from shopward.http.openapi import unlocked as _open
from shopward.http.orders import LIST_MAX, ExceptionsAsked, KeyAsked, KeyMade, Keys, Orders, ReleaseAsked
from shopward.http.partner_paths import PARTNER_SHAPES, partner_paths
from shopward.http.password_paths import PASSWORD_SHAPES, password_paths
from shopward.http.peers.paths import PEER_SCHEMES, PEER_SHAPES, peer_paths
from shopward.http.playbook_paths import PLAYBOOK_SHAPES, playbook_paths
from shopward.http.policies import LIST_MAX as POLICIES_MAX
from shopward.http.policies import Policies, PolicyAsked, PolicyView, PublicationView, RollbackAsked, Shadows
from shopward.http.problems import CODES, Problem
from shopward.http.processing_paths import PROCESSING_SHAPES, processing_paths
from shopward.http.reads import LIMIT_MAX, Timeline, UserView
from shopward.http.scope_paths import SCOPE_SHAPES, scope_paths
from shopward.http.screening_paths import SCREENING_SHAPES, screening_paths
from shopward.http.signal_paths import SIGNAL_SHAPES, signal_paths
from shopward.http.staff_paths import STAFF_SHAPES, staff_paths
from shopward.http.stream_paths import RECEIVER_SCHEMES, STREAM_SHAPES, stream_paths
from shopward.http.training_paths import TRAINING_SHAPES, training_paths
from shopward.http.vault_paths import VAULT_SHAPES, vault_paths
from shopward.http.victims import Sets, SetView
from shopward.http.webhooks import Deliveries, Replayed, TestSent, Webhooks
from shopward.outbox.endpoints import STATES as DELIVERY_STATES
from shopward.outbox.endpoints import WebhookAsked, WebhookView
from shopward.protection import DeclaredUser, OrderRequest
from shopward.protection.states import STATES
from shopward.protection.view import OrderView

if TYPE_CHECKING:
    from starlette.requests import Request

TEMPLATES: Final = Path(__file__).parent / "templates"

EVENT_EXAMPLE: Final = {
    "id": "e-81", "type": "payment", "status": "attempted", "time": "2026-01-05T00:07:12.345Z",
    "user": {"id": "u008490"},
    "context": {"ip": "31.107.5.228", "device_id": "d94f969e79c79", "device_type": "mobile"},
    "transaction": {"id": "t-9", "amount_minor": 1250000, "currency": "IDR", "instrument": "balance", "payee_id": "m123"},
}  # fmt: skip
DECISION_EXAMPLE: Final = {
    "id": "d-e-81", "event_id": "e-81", "decision": "challenge", "score": 71.53,
    "reasons": [{"code": "new_device_then_payee", "text": "A new device pays a new payee.",
                 "evidence": {"device_age_s": 120, "device_age_s_threshold": 86400}}],
    "actions": [{"type": "step_up", "factor": "totp", "exclude": ["sms"]}],
    "orders": [], "policy": "default@1", "shadow": [],
}  # fmt: skip
ORDER_EXAMPLE: Final = {
    "kind": "freeze", "scope": ["stored_value"], "reason": "credential_stuffing",
    "target": {"predicate": 'registered_at < timestamp("2012-03-20T00:00:00Z")'},
    "ends_at": "2030-01-08T00:00:00Z", "dry_run": True,
}  # fmt: skip
ADVISORY_EXAMPLE: Final = {
    "provider": "apple", "incident": "inc-7", "ends_at": "2030-01-08T00:00:00Z", "dry_run": True,
    "limit": {"amount_minor": 50_000_000, "currency": "IDR", "window_s": 86_400},
}  # fmt: skip
WEBHOOK_EXAMPLE: Final = {
    "url": "https://shop.example/hooks/shopward",
    "topics": ["order.activated", "order.ended"],
}
_SHAPES: Final = (
    Event, Decision, Accepted, Problem, UserView, Timeline, DeclaredUser, DeclaredAnswer, OrderRequest, OrderView, Orders,
    ReleaseAsked, ExceptionsAsked, Exempted, AuthorizationView, Settled, LinksAsked, LinksView, KeyAsked,
    KeyMade, Keys, AdvisoryAsked, AdvisoryView, AdvisoryExempted, SetAsked, SealAsked, SetView, Sets,
    *ACCOUNT_SHAPES, *PASSWORD_SHAPES, *SCREENING_SHAPES, *LEDGER_SHAPES, *VAULT_SHAPES, Campaigns, CampaignView, Findings, FindingView, FindingSettled,
    *PEER_SHAPES,
    *CLAIM_SHAPES, *COMPLAINT_SHAPES, *INCIDENT_SHAPES, *PLAYBOOK_SHAPES, *SCOPE_SHAPES, *NOTICE_SHAPES, *LINE_SHAPES, *CONVERSATION_SHAPES, *PARTNER_SHAPES, *ALIAS_SHAPES, *SIGNAL_SHAPES, *STREAM_SHAPES,
    *PROCESSING_SHAPES, *STAFF_SHAPES, *TRAINING_SHAPES,
    WebhookAsked, WebhookView, Webhooks, Deliveries, TestSent, Replayed, CheckpointFile,
    PolicyAsked, RollbackAsked, Checked, PublicationView, Policies, PolicyView, Shadows,
)  # fmt: skip


class Reference:
    """The two handlers."""

    async def openapi(self, request: Request) -> Response:  # noqa: ARG002 -- a handler's signature
        """``GET /openapi.json``."""
        body = msgspec.json.encode(document())
        return Response(body, media_type="application/json", headers={"cache-control": "public, max-age=300"})

    async def docs(self, request: Request) -> Response:  # noqa: ARG002 -- a handler's signature
        """``GET /docs``."""
        return HTMLResponse(_page(), headers={"cache-control": "public, max-age=300"})


@cache
def document() -> dict[str, Any]:
    """The OpenAPI document."""
    _shapes, schemas = msgspec.json.schema_components([*_SHAPES], ref_template="#/components/schemas/{name}")
    schemas = portable(dict(schemas))
    schemas["Timeline"]["properties"]["next"].setdefault("description", "the before of the part that follows")
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Shopward",
            "version": version("shopward"),
            "description": "A decision on every account event of a shop, with its reasons. Errors are problems (RFC 9457).",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "security": [{"key": []}],
        "paths": _paths()
        | _protection_paths()
        | _linkage_paths()
        | account_paths()
        | password_paths()
        | ledger_paths()
        | vault_paths()
        | staff_paths()
        | training_paths()
        | screening_paths()
        | claim_paths()
        | complaint_paths()
        | processing_paths()
        | incident_paths()
        | scope_paths()
        | playbook_paths()
        | cooperation_paths()
        | notice_paths()
        | line_paths()
        | conversation_paths()
        | partner_paths()
        | alias_paths()
        | signal_paths()
        | stream_paths()
        | _webhook_paths()
        | _campaign_paths()
        | _policy_paths()
        | peer_paths(),
        "components": {
            "schemas": schemas,
            "securitySchemes": {
                "key": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "The key that the first start printed.",
                },
                **PEER_SCHEMES,
                **RECEIVER_SCHEMES,
            },
        },
    }


def _paths() -> dict[str, Any]:
    return {
        DECISIONS: {"post": _post(
            "decide", "Decide one event", "One event in, one decision out, durable before the answer.",
            {"application/json": _content("Event", EVENT_EXAMPLE)},
            {"200": _answer("The decision", "application/json", "Decision", DECISION_EXAMPLE)},
        )},
        BATCH: {"post": _post(
            "decide_batch", "Decide many events",
            "One event a line in, one decision a line out, in order. A bad line is answered as a problem on its line.",
            {"application/x-ndjson": {"schema": {"type": "string"}}},
            {"200": {"description": "Decisions and problems, a line each", "headers": _request_id(),
                     "content": {"application/x-ndjson": {"schema": {"type": "string"}}}}},
        )},
        EVENTS: {"post": _post(
            "record", "Record events", "Recorded, and no decision wanted: one event, or NDJSON.",
            {"application/json": _content("Event", EVENT_EXAMPLE), "application/x-ndjson": {"schema": {"type": "string"}}},
            {"202": _answer("Recorded", "application/json", "Accepted", {"recorded": 1, "problems": []})},
        )},
        "/v1/users/{id}": {
            "get": _get(
                "user", "What is known of a user", "Counts, newest decisions, why, and orders in force.",
                "UserView", [_parameter("id", "path", {"type": "string", "minLength": 1, "maxLength": 128})], "404",
            ),
            "put": _on_id(_post(
                "declare", "Declare a user", "What orders may be aimed by; replaces what was declared before.",
                {"application/json": _content("DeclaredUser", {"region": "ID", "tier": "gold"})},
                {"200": _answer("Declared", "application/json", "DeclaredAnswer", {"declared": 1, "problems": []})},
            )),
        },
        "/v1/users/{id}/timeline": {"get": _get(
            "timeline", "A user's history", "Events as sent with their decisions, newest first.", "Timeline",
            [_parameter("id", "path", {"type": "string", "minLength": 1, "maxLength": 128}),
             _parameter("before", "query", {"type": "integer", "minimum": 1, "maximum": 2**63 - 1}),
             _parameter("limit", "query", {"type": "integer", "minimum": 1, "maximum": LIMIT_MAX, "default": 50})],
            "404", "422",
        )},
        "/healthz": {"get": _open("healthz", "Whether the process answers", "application/json")},
        "/readyz": {"get": _open("readyz", "Whether decisions are answered", "application/json", "503")},
        "/metrics": {"get": _open("metrics", "Numbers for Prometheus", "text/plain")},
    }  # fmt: skip


def _protection_paths() -> dict[str, Any]:
    """Declared users, orders, authorisations and keys."""
    return {
        "/v1/users/batch": {"post": _post(
            "declare_many", "Declare many users", "One user a line; a bad line spoils no other.",
            {"application/x-ndjson": {"schema": {"type": "string"}}},
            {"200": _answer("Declared", "application/json", "DeclaredAnswer", {"declared": 2, "problems": []})}, "403",
        )},
        "/v1/orders": {
            "post": _post(
                "place_order", "Place a protection order", "In force when the answer leaves, or a draft with its count.",
                {"application/json": _content("OrderRequest", ORDER_EXAMPLE)},
                {"201": _answer("The order", "application/json", "OrderView", None)}, "403", "404",
            ),
            "get": _get("orders", "Orders, newest first", "All, or those of one state.", "Orders", [
                _parameter("state", "query", {"type": "string", "enum": list(STATES)}),
                _parameter("before", "query", {"type": "string", "pattern": "^[ -~]{0,64}$"}),
                _parameter("limit", "query", {"type": "integer", "minimum": 1, "maximum": LIST_MAX, "default": 50}),
            ], "422"),
        },
        "/v1/orders/{id}": {"get": _get("order", "One order", "With its explanation.", "OrderView", [
            _ID, _parameter("progress", "query", {"type": "boolean"}),
        ], "404", "422")},
        "/v1/orders/{id}/approve": {"post": _bare("approve_order", "Approve a draft, an order or a release", "OrderView")},
        "/v1/orders/{id}/release": {"post": _on_id(_post(
            "release_order", "Release an order", "At once for one user; for many it waits for a second person.",
            {"application/json": _content("ReleaseAsked", {})},
            {status: _answer("The order", "application/json", "OrderView", None) for status in ("200", "202")}, "403", "404",
        ), required=False)},
        "/v1/orders/{id}/exceptions": {"post": _on_id(_post(
            "except_users", "Let single users out", "All of them or none.",
            {"application/json": _content("ExceptionsAsked", {"users": ["u008490"], "cause": "staff_release"})},
            {"200": _answer("Let out", "application/json", "Exempted", {"released": 1, "already": 0})}, "403", "404",
        ))},
        "/v1/authorizations": {"post": _post(
            "authorize", "Authorise a movement of money", "A decision, worth something for ten seconds.",
            {"application/json": _content("Event", EVENT_EXAMPLE)},
            {"200": _answer("The authorisation", "application/json", "AuthorizationView", None)}, "403",
        )},
        "/v1/authorizations/{id}/capture": {"post": _bare("capture", "Capture, behind the fence", "Settled")},
        "/v1/authorizations/{id}/void": {"post": _bare("void", "Give an authorisation up", "Settled")},
        "/v1/keys": {
            "post": _post(
                "make_key", "Make a key", "In clear for this once.",
                {"application/json": _content("KeyAsked", {"name": "budi-1", "person": "budi", "roles": ["analyst"]})},
                {"201": _answer("The key", "application/json", "KeyMade", None)}, "403",
            ),
            "get": _get("keys", "All keys", "Without anything of the keys themselves.", "Keys", [], "403"),
        },
    }  # fmt: skip


def _linkage_paths() -> dict[str, Any]:
    """Linked accounts, victim sets and advisories."""
    answer = _answer("The advisory", "application/json", "AdvisoryView", None)
    set_ = _answer("The set", "application/json", "SetView", None)
    return {
        "/v1/victim-sets": {
            "post": _post(
                "make_victim_set", "Make a victim set", "Open for pages, or of whom a predicate or a trace reaches now.",
                {"application/json": _content("SetAsked", {"name": "stuffed-2026-01"})}, {"201": set_}, "403",
            ),
            "get": _get("victim_sets", "Victim sets, newest first", "All, or those of one name.", "Sets", [
                _parameter("name", "query", {"type": "string"}),
            ], "422"),
        },
        "/v1/victim-sets/{id}": {"get": _get("victim_set", "One victim set", "Never its members.", "SetView", [_ID], "404")},
        "/v1/victim-sets/{id}/pages/{page}": {"put": _on_page(_post(
            "put_victims", "Fill a page of a victim set", "A line a user; the page is taken whole or not at all.",
            {"application/x-ndjson": {"schema": {"type": "string"}}}, {"200": set_}, "403", "404",
        ))},
        "/v1/victim-sets/{id}/seal": {"post": _on_id(_post(
            "seal_victim_set", "Seal a victim set", "It never changes after.",
            {"application/json": _content("SealAsked", {"users": 1_000_000})}, {"200": set_}, "403", "404",
        ), required=False)},
        "/v1/links": {"post": _post(
            "trace_links", "Trace who shares an identifier", "Accounts in up to three steps, hubs named, orders that cover.",
            {"application/json": _content("LinksAsked", {"kind": "phone", "token": "tok-7", "steps": 2})},
            {"200": _answer("How far it reaches", "application/json", "LinksView", None)}, "403",
        )},
        "/v1/advisories": {"post": _post(
            "place_advisory", "Lower limits for everyone linked to a provider", "A limit and a step-up, placed together.",
            {"application/json": _content("AdvisoryAsked", ADVISORY_EXAMPLE)}, {"201": answer}, "403",
        )},
        "/v1/advisories/{id}": {"get": _get(
            "advisory", "One advisory", "Its orders as they are now.", "AdvisoryView", [_ID], "404",
        )},
        "/v1/advisories/{id}/approve": {"post": _bare("approve_advisory", "Agree that it ends", "AdvisoryView")},
        "/v1/advisories/{id}/release": {"post": _on_id(_post(
            "release_advisory", "Release an advisory", "All of its orders; it waits for a second person.",
            {"application/json": _content("ReleaseAsked", {})}, {"200": answer, "202": answer}, "403", "404",
        ), required=False)},
        "/v1/advisories/{id}/exceptions": {"post": _on_id(_post(
            "except_from_advisory", "Let single users out of an advisory", "Of each of its orders.",
            {"application/json": _content("ExceptionsAsked", {"users": ["u008490"], "cause": "staff_release"})},
            {"200": _answer("Let out", "application/json", "AdvisoryExempted", None)}, "403", "404",
        ))},
    }  # fmt: skip


def _paged(cursor: str) -> list[Any]:
    """The parameters of a list that is read page by page."""
    return [
        _parameter(cursor, "query", {"type": "string"}),
        _parameter("limit", "query", {"type": "integer", "minimum": 1, "maximum": LIST_MAX, "default": 50}),
    ]


def _campaign_paths() -> dict[str, Any]:
    """What was found."""
    return {
        "/v1/campaigns": {"get": _get(
            "campaigns", "Campaigns", "Live, and ended within two weeks; newest first.", "Campaigns", [], "403", "503",
        )},
        "/v1/campaigns/{id}": {"get": _get(
            "campaign", "One campaign with its members", "As it is recorded, paged by member.", "CampaignView",
            [_ID, *_paged("after")], "403", "404", "422",
        )},
        "/v1/campaigns/{id}/acknowledge": {
            "post": _bare("acknowledge_campaign", "Look after a campaign", "CampaignView"),
        },
        "/v1/campaigns/{id}/escalate": {
            "post": _bare("escalate_campaign", "Have the shop told of it again", "CampaignView"),
        },
        "/v1/findings": {"get": _get(
            "findings", "Findings", "Earlier successes of sources condemned since; newest first.", "Findings",
            [_parameter("state", "query", {"type": "string", "enum": list(FINDING_STATES)}),
             _parameter("campaign", "query", {"type": "string"}), *_paged("before")], "403", "404", "422",
        )},
        "/v1/findings/{id}": {"post": _on_id(_post(
            "settle_finding", "Say what became of a finding", "Acknowledged, dismissed or acted upon; audited.",
            {"application/json": _content("FindingSettled", {"state": "acted"})},
            {"200": _answer("The finding", "application/json", "FindingView", None)}, "403", "404",
        ))},
    }  # fmt: skip


def _webhook_paths() -> dict[str, Any]:
    """Who is told, and what to keep of the audit log."""
    page = [
        _parameter("state", "query", {"type": "string", "enum": list(DELIVERY_STATES)}),
        _parameter("before", "query", {"type": "string", "pattern": "^[ -~]{0,64}$"}),
        _parameter("limit", "query", {"type": "integer", "minimum": 1, "maximum": LIST_MAX, "default": 50}),
    ]
    return {
        "/v1/webhooks": {
            "post": _post(
                "make_webhook", "Make a webhook", "With its secret in clear for this once.",
                {"application/json": _content("WebhookAsked", WEBHOOK_EXAMPLE)},
                {"201": _answer("The webhook", "application/json", "WebhookView", None)}, "403",
            ),
            "get": _get("webhooks", "All webhooks", "How each of them is, without its secret.", "Webhooks", [], "403"),
        },
        "/v1/webhooks/{id}": {
            "get": _get("webhook", "One webhook", "How it is, without its secret.", "WebhookView", [_ID], "403", "404"),
            "delete": {
                "operationId": "remove_webhook", "summary": "Remove a webhook",
                "description": "It is told nothing more, and its secret is forgotten.", "parameters": [_ID],
                "responses": {"204": {"description": "Removed", "headers": _request_id()}}
                | _problems("401", "403", "404", "500", "503"),
            },
        },
        CHECKPOINT: {"get": _get(
            "audit_checkpoint", "The newest signed checkpoint", "The file that audit verify --checkpoint takes.",
            "CheckpointFile", [], "404",
        )},
        "/v1/webhooks/{id}/rotate": {"post": _bare("rotate_webhook", "Replace the secret", "WebhookView")},
        "/v1/webhooks/{id}/test": {"post": _bare("test_webhook", "Send a test message", "TestSent", "202")},
        "/v1/webhooks/{id}/replay": {"post": _bare("replay_webhook", "Try what failed anew", "Replayed", "202")},
        "/v1/webhooks/{id}/deliveries": {"get": _get(
            "deliveries", "What became of each message", "Newest first.", "Deliveries", [_ID, *page], "403", "404", "422",
        )},
    }  # fmt: skip


def _policy_paths() -> dict[str, Any]:
    """Publications."""
    asked = {
        "application/json": _content("PolicyAsked", {"files": {"policy.toml": "...", "features.toml": "..."}})
    }
    made = {
        "201": _answer("In force", "application/json", "PublicationView", None),
        "202": _answer("Getting ready", "application/json", "PublicationView", None),
    }
    return {
        "/v1/policies": {
            "post": _post("publish_policy", "Publish a policy", "Takes over between two groups; 202 while it gets ready.",
                          asked, made, "403"),
            "get": _get("policies", "What decides, and every publication", "Newest first.", "Policies", [
                _parameter("before", "query", {"type": "integer", "minimum": 1, "maximum": 2**53}),
                _parameter("limit", "query", {"type": "integer", "minimum": 1, "maximum": POLICIES_MAX, "default": 50}),
            ], "422"),
        },
        "/v1/policies/check": {"post": _post(
            "check_policy", "Check a policy", "Compiles it, runs its tests, says what differs. Publishes nothing.", asked,
            {"200": _answer("It is good", "application/json", "Checked", None)}, "403",
        )},
        "/v1/policies/rollback": {"post": _post(
            "roll_back_policy", "Bring an earlier policy back", "As a publication of its own.",
            {"application/json": _content("RollbackAsked", {"note": "too many challenges"})}, made, "403", "404",
        )},
        "/v1/policies/shadow": {"get": _get("shadow_rules", "Rules on trial", "Since the process began.", "Shadows", [])},
        "/v1/policies/{number}": {"get": _get("policy", "A publication with its files", "As it was published.", "PolicyView", [
            _parameter("number", "path", {"type": "integer", "minimum": 1, "maximum": 2**53}),
        ], "403", "404")},
    }  # fmt: skip


@cache
def _page() -> str:
    templates = Environment(loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined)
    return templates.get_template("docs.html").render(
        document=document(),
        codes=CODES,
        pretty=lambda value: msgspec.json.format(msgspec.json.encode(value)).decode(),
    )
