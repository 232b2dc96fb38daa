"""The hacked identity, 2018: wallets are emptied through the Apple IDs that are linked to them, and the other company does not answer.

The document: customers' accounts paid strangers through their Apple IDs. The wallet asked Apple again and again, told its customers to
lower the limits of linked accounts, and did not know how many were robbed. Of how the thief answers a challenge it says nothing: here he can.
"""

from __future__ import annotations

from scenarios.telling import Stage, nothing_late, numbers, owed, paying, steps_of, sums, was_paid
from shopward.values import DAY_MS, HOUR_MS, MINUTE_MS, to_rfc3339

THIEF = "203.0.113.9"
ROBBED = {"li": 700_00, "wang": 650_01, "zhao": 999_99}
LINKED = {**dict.fromkeys((*ROBBED, "chen", "sun"), "apple"), "agus": "google"}
LETTER = {
    "subject": "关于您关联的登录身份",
    "text": "有人通过被盗的关联身份盗刷账户。我们已降低关联支付的限额。您的损失我们先行全额赔付。",
}
CONTENTS = ("data", "cause", "impact", "measures", "self_help", "contact")


def event(name, kind, user, at_ms, status="succeeded", *, ip="", **more):
    """One event; from home unless the address is another's."""
    context = {
        "ip": ip or f"198.51.100.{1 + list(LINKED).index(user)}",
        "device_id": f"of-{ip or user}",
        "country": "CN",
    }
    made = {"id": name, "type": kind, "status": status, "time": to_rfc3339(at_ms), "user": {"id": user}}
    return made | {"context": context, "session": {"id": f"s-{ip or user}-{user}"}} | more


def pays(name, user, at_ms, amount_minor, status="attempted", **more):
    """A payment through the linked identity."""
    paid = {
        "id": f"t-{name}",
        "amount_minor": amount_minor,
        "currency": "CNY",
        "instrument": "linked",
        "payee_id": "m-games",
    }
    paid["identity_provider"] = LINKED[user]
    return event(f"{name}-{status}", "payment", user, at_ms, status, transaction=paid, **more)


def test_the_linked_identity(tmp_path):
    """From the first strange payment to the closed incident: limits for everyone linked, the victims counted, the provider asked until it answers, every loss paid."""
    with paying(tmp_path) as (settings, paid), Stage(tmp_path / "data", **settings) as shop:
        shop.run(lambda stage: told(stage, paid))


async def told(shop, paid):
    """The document, in its order."""
    lines = [{"id": user, "region": "CN", "identity_providers": [linked]} for user, linked in LINKED.items()]
    await shop.does("shop", "POST", "/v1/users/batch", lines)
    began = shop.clock.at_ms - 6 * HOUR_MS
    await shop.happen(*(event(f"{user}-first", "login", user, began - 40 * DAY_MS) for user in LINKED))
    lost = await robbed(shop, began)
    incident, limits = await alarm(shop)
    scoped = await counted(shop, incident)
    await asked_until_answered(shop, incident)
    await everybody_told(shop, incident)
    await shop.make_whole(scoped["sets"]["spent"], lost, since_ms=began, until_ms=began + 6 * HOUR_MS)
    assert was_paid(paid) == sums(lost)
    await ended(shop, incident, limits)


async def robbed(shop, began):
    """The thief pays a stranger from each account; where a proof is asked for, he has it. What was lost."""
    lost = {}
    for number, (user, amount) in enumerate(ROBBED.items()):
        at = began + number * 20 * MINUTE_MS
        (asked,) = await shop.happen(pays(f"{user}-stolen", user, at, amount, ip=THIEF))
        if asked["decision"] == "challenge":
            proof = {"decision_id": asked["id"], "factor": asked["actions"][0]["factor"]}
            await shop.happen(event(f"{user}-code", "challenge", user, at + 1, ip=THIEF, challenge=proof))
        stolen = pays(f"{user}-stolen", user, at + 2, amount, "succeeded", ip=THIEF)
        (done,) = await shop.happen(stolen)
        assert done["decision"] in ("allow", "review"), (asked, done)
        lost[user] = {stolen["id"]: amount}
    return lost


async def alarm(shop):
    """Li reports a loss; Siti opens the incident and lowers the limit of everyone linked to Apple, and of nobody else."""
    said = {"kind": "loss", "user": "li", "said": "不是我付的", "since": shop.ago(hours=6)}
    await shop.does("shop", "POST", "/v1/reports", said, language="zh")
    signal = {"source": {"kind": "ip", "value": THIEF, "since": shop.ago(hours=7)}, "elsewhere": "CN"}
    asked = signal | {"title": "Apple ID", "kind": "linked_identity_breach", "severity": "high"}
    incident = (await shop.does("siti", "POST", "/v1/incidents/signals", asked))["incident"]["id"]
    await shop.step("siti", incident, "clock", clock="aware")
    await shop.step("siti", incident, "playbook", playbook="linked_identity")
    limit = {"amount_minor": 50_00, "currency": "CNY", "window_s": 86_400}
    advisory = {"provider": "apple", "incident": incident, "limit": limit}
    advisory["review_at"] = to_rfc3339(shop.clock.at_ms + DAY_MS)
    placed = await shop.does("siti", "POST", "/v1/advisories", advisory)
    orders = {each["id"] for each in placed["orders"]}
    now = shop.clock.at_ms
    tried = await shop.happen(*(pays(f"{user}-tries", user, now, 51_00) for user in LINKED))
    denied = {user: each["decision"] == "deny" for user, each in zip(LINKED, tried, strict=True)}
    assert denied == {user: linked == "apple" for user, linked in LINKED.items()}
    assert not orders & set(tried[-1]["orders"])
    return incident, placed["id"]


async def counted(shop, incident):
    """How many are victims is known at once, and each number names its people."""
    scoped = await shop.does("siti", "GET", f"/v1/incidents/{incident}/scopes/1")
    assert numbers(scoped)["spent"] == len(ROBBED)
    opens = next(each["open"] for each in scoped["numbers"] if each["kind"] == "spent")
    people = await shop.does("siti", "GET", opens)
    assert {each["user"] for each in people["people"]} == set(ROBBED)
    return scoped


async def asked_until_answered(shop, incident):
    """Asked, asked again the next day, answered on the third: the incident does not close before."""
    for task in ("freeze", "scope", "unlink", "ask"):
        if task == "ask":
            again = to_rfc3339(shop.clock.at_ms + DAY_MS)
            await shop.step(
                "dewi", incident, "ask", vendor="apple", text="what happened, since when", again=again
            )
        await shop.step("siti", incident, "tick", task=task)
    shown = await shop.step("dewi", incident, "decide", question="answered", yes=False, reason="silence")
    assert steps_of(shown)["again"] == "open"
    again = to_rfc3339(shop.clock.at_ms + 2 * DAY_MS)
    await shop.step("dewi", incident, "ask", vendor="apple", text="asked again, in writing", again=again)
    await shop.step("dewi", incident, "tick", task="again")
    await shop.does(
        "dewi", "POST", f"/v1/incidents/{incident}/steps", {"step": "state", "state": "closed"}, status=409
    )


async def everybody_told(shop, incident):
    """The authority, and everybody linked to Apple, robbed or not; nobody else."""
    for content in CONTENTS:
        await shop.step("dewi", incident, "content", content=content, language="zh", text="见附件。")
    people = [
        {"user": user, "email": f"{user}@mail.example", "language": "zh"}
        for user in LINKED
        if LINKED[user] == "apple"
    ]
    mailing = await shop.tell(incident, "CN-pipl-subject", {"zh": LETTER}, people)
    assert sorted(to for to, _text in shop.letters()) == sorted(each["email"] for each in people)
    for rule, receipt in (("CN-pipl-authority", "17"), ("CN-pipl-subject", mailing["id"])):
        shown = await shop.step("dewi", incident, "sent", rule=rule, receipt=receipt)
    assert nothing_late(shown)
    assert not set(owed(shown).values()) & {"open", "waiting"}


async def ended(shop, incident, limits):
    """The provider answers; the limits end by two; cause and lessons are written down, and the incident closes."""
    await shop.step("dewi", incident, "answer", vendor="apple", text="tokens were stolen; they are revoked")
    path = f"/v1/advisories/{limits}"
    await shop.does("siti", "POST", path + "/release", {})
    await shop.does("siti", "POST", path + "/approve", {}, status=403)
    await shop.does("budi", "POST", path + "/approve", {})
    for task in ("claims", "duties", "tell"):
        await shop.step("siti", incident, "tick", task=task)
    await shop.step("dewi", incident, "learned", root_cause="a linked identity pays alone", lessons="limits")
    await shop.step("dewi", incident, "tick", task="lessons")
    assert (await shop.step("siti", incident, "state", state="closed"))["incident"]["state"] == "closed"
