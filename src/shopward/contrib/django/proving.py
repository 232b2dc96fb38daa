"""The challenge page, at ``/shopward/challenge``: who was stopped proves who they are, and goes on.

Promise: what is being proved stands in the session of the browser that was stopped, for ten minutes, and nothing of it in a
URL. A login goes on by itself; of everything else the customer sends the request once more, since what was typed is kept
nowhere. Who the answer is for comes from the decision and never from the form.

The steps: (1) what was stopped; (2) which factors may answer, the server's list and the shop's own mail; (3) a code is
sent, unless that too is stopped; (4) the answer is held against it; (5) what was proved is told; (6) on.

The shop's own mail may answer where the decision does not exclude ``email``. Passkeys need a page with a script: a shop
that has them answers over the SDK.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Final

from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth import login as begin_session
from django.http import HttpResponseRedirect, JsonResponse
from django.urls import get_script_prefix as home
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.csrf import csrf_protect

from shopward.client import Decision
from shopward.contrib.django import own_code, pages
from shopward.contrib.django.asking import Stopped, login_decision, wants_json
from shopward.contrib.django.texts import texts

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

    from shopward.client import Client
    from shopward.contrib.django.visit import Visit

PATH: Final = "/shopward/challenge"
_PENDING: Final = "_shopward_pending"
_TYPED: Final = ("totp", "recovery_code")


def begin(visit: Visit, stop: Stopped) -> HttpResponse:
    """Step 1: keep what was stopped and lead to the page; a plain refusal where nobody could answer."""
    request, decision, user = visit.request, stop.decision, stop.user
    if not hasattr(user, "pk") or user.pk is None or not hasattr(request, "session"):
        return pages.stopped(visit, decision)  # fails closed: there is nobody to ask
    step_up = decision.action("step_up") or {}
    request.session[_PENDING] = {
        "decision": decision.id,
        "type": stop.event["type"],
        "user": str(user.pk),
        "backend": stop.backend,
        "next": _way_on(request, is_login=bool(stop.backend)),
        "exclude": list(step_up.get("exclude", ())),
        "reason": next((each.text for each in decision.reasons if each.text != each.code), ""),
        "until_s": time.time() + own_code.GOOD_FOR_S,  # noqa: TID251 -- the shop's now
    }
    if wants_json(request):
        words = texts(visit.language)
        body = {"title": words["challenge_title"], "status": 403, "code": "challenge", "decision_id": decision.id,
                "url": home() + PATH.lstrip("/")}  # fmt: skip
        return pages.private(JsonResponse(body, status=403, content_type="application/problem+json"))
    return pages.private(HttpResponseRedirect(home() + PATH.lstrip("/")))


def answer(client: Client, visit: Visit) -> HttpResponse:
    """The page; CSRF is checked here, since Django's own check runs before views only."""
    return csrf_protect(lambda _request: _answer(client, visit))(visit.request)


def _answer(client: Client, visit: Visit) -> HttpResponse:
    request = visit.request
    pending = request.session.get(_PENDING)
    user = _account(pending)
    if pending is None or user is None or pending["until_s"] < time.time():  # noqa: TID251 -- the shop's now
        return HttpResponseRedirect(home())
    offered = _offered(client, pending)  # (2)
    by_mail = "email" not in pending["exclude"] and own_code.can_reach(user)
    if not by_mail and not offered:
        return pages.stopped(
            visit, Decision("", "deny", id=pending["decision"])
        )  # fails closed: nothing is left
    alert = ""
    if request.method == "POST" and request.POST.get("send") and by_mail:
        alert = "" if _sent(client, visit, user) else "not_sent"
    elif request.method == "POST":
        if _proves(client, visit, pending, user, by_mail=by_mail, offered=offered):
            return _go_on(client, visit, pending, user)  # (6)
        alert = "wrong"
    words, sent = texts(visit.language), own_code.was_sent(request)
    mail_text = words["challenge_sent" if sent else "challenge_mail"] if by_mail else ""
    shown = {
        "title": words["challenge_title"],
        "reason": pending["reason"],
        "alert": words[alert] if alert else "",
        "mail_text": mail_text.format(address=own_code.masked(user.email)) if by_mail else "",
        "sent": sent,
        "asked": [(factor, words[factor]) for factor in offered],
    }
    return pages.page(visit, "challenge", shown)


def _offered(client: Client, pending: dict[str, Any]) -> tuple[str, ...]:
    """What the customer has enrolled with Shopward and may answer with, as far as this page can ask for it."""
    if not pending["decision"]:  # the server was not heard when it was stopped
        return ()
    return tuple(factor for factor in client.challenge(pending["decision"]).offered if factor in _TYPED)


def _sent(client: Client, visit: Visit, user: Any) -> bool:
    """Step 3. A code is an event too: floods of them are somebody's way in."""
    asked = client.decide(visit.event("otp", "requested", user), language=visit.language)
    return not _rules_mail_out(asked) and own_code.send(visit.request, user, visit.language)


def _rules_mail_out(decision: Decision) -> bool:
    """Whether a decision on a code says that no mailed code proves anything now."""
    excluded = {name for action in decision.actions for name in action.get("exclude", ())}
    return decision.decision == "deny" or (decision.decision == "challenge" and "email" in excluded)


def _proves(
    client: Client,
    visit: Visit,
    pending: dict[str, Any],
    user: Any,
    *,
    by_mail: bool,
    offered: tuple[str, ...],
) -> bool:
    """Steps 4 and 5."""
    factor, typed = visit.request.POST.get("factor", ""), visit.request.POST.get("answer", "")[:64]
    if factor in offered:
        who = {
            name: each
            for name, each in visit.event("challenge", "attempted", user).items()
            if name in ("user", "context")
        }
        return client.answer(pending["decision"], who=who, factor=factor, answer=typed).is_passed
    if factor != "email" or not by_mail:
        return False
    right = own_code.is_right(visit.request, user, typed)
    heard = client.decide(
        visit.event("otp", "succeeded" if right else "failed", user), language=visit.language
    )
    if not right or _rules_mail_out(
        heard
    ):  # a right code can have been talked out of somebody: how it came about says so
        return False
    own_code.note_proof(visit.request, pending["type"], user)
    if pending["decision"]:
        proof = {"decision_id": pending["decision"], "factor": "email"}
        client.record(visit.event("challenge", "succeeded", user, challenge=proof))
    return True


def _go_on(client: Client, visit: Visit, pending: dict[str, Any], user: Any) -> HttpResponse:
    request = visit.request
    del request.session[_PENDING]
    if not pending["backend"]:
        response = HttpResponseRedirect(pending["next"])
        _say(request, response, texts(visit.language)["done"])
        return response
    event = visit.event(pending["type"], "succeeded", user)
    event["session"] = {"id": visit.begin_session()}
    decision = login_decision(client, visit, event, user)
    if not decision.may_proceed:  # another rule, or an order that came meanwhile
        stop = Stopped(decision, event, user, pending["backend"])
        return begin(visit, stop) if decision.decision == "challenge" else pages.stopped(visit, decision)
    visit.decided.add(user.pk)
    begin_session(request, user, backend=pending["backend"])
    return HttpResponseRedirect(pending["next"])


def _account(pending: dict[str, Any] | None) -> Any:
    if pending is None:
        return None
    found = get_user_model()._default_manager.filter(pk=pending["user"]).first()  # noqa: SLF001 -- Django's documented name
    return found if found is not None and found.is_active else None


def _way_on(request: HttpRequest, *, is_login: bool) -> str:
    """A path of this shop: where a login leads, or the page that the request came from."""
    if is_login:
        wanted = next(
            (each for name, each in request.POST.items() if name.endswith(("next", "redirect_url"))), ""
        )
        wanted = wanted or request.GET.get("next", "") or str(settings.LOGIN_REDIRECT_URL)
    else:
        wanted = request.headers.get("referer", home())
    is_own = url_has_allowed_host_and_scheme(wanted, {request.get_host()}, require_https=request.is_secure())
    return wanted if is_own and wanted.startswith(("/", "http")) else home()


def _say(request: HttpRequest, response: HttpResponse, text: str) -> None:
    """A message on the shop's next page, where the shop shows messages."""
    if "django.contrib.messages" in settings.INSTALLED_APPS:
        from django.contrib.messages import constants  # noqa: PLC0415 -- only where it is installed
        from django.contrib.messages.storage import default_storage  # noqa: PLC0415 -- the same

        storage = default_storage(request)  # its middleware comes behind ours and is not there yet
        storage.add(constants.INFO, text)
        storage.update(response)
