"""The bookshop, 2012: stolen passwords are tried, balances and gift cards emptied, and the shop freezes them all and pays.

The document: customers found their balances gone; passwords that they used elsewhere had been tried one after the other. The shop
froze every balance and gift card for three days, had customers set new passwords, and made good every loss.
"""

from __future__ import annotations

import pytest
from click.testing import CliRunner

from scenarios.telling import Stage, nothing_late, numbers, owed, paying, steps_of, sums, was_paid
from shopward.cli import main
from shopward.values import DAY_MS, HOUR_MS, MINUTE_MS, to_rfc3339

THIEF = "203.0.113.7"
WANTED = {"li": (300_00, 120_01), "wang": (80_00,), "zhao": (999_99, 250_00), "chen": ()}
CUSTOMERS = (*WANTED, *(f"reader-{number}" for number in range(40)))
LETTER = {
    "subject": "关于您的账户余额",
    "text": "有人用从别处窃得的密码登录了部分账户。我们已冻结全部余额和礼品卡三天。请像平时一样打开我们的应用并修改密码。您的损失我们全额赔付。",
}
SAID = {
    "data": "姓名、联系方式、账户余额与礼品卡。", "cause": "用户在其他网站使用的密码外泄。", "impact": "部分余额和礼品卡被盗刷。",
    "measures": "冻结全部余额。重置密码。全额赔付。", "self_help": "请修改密码。勿在多处使用同一密码。", "contact": "请在应用内联系客服。",
    "nature": "撞库攻击。", "when_and_how": "昨夜起。自单一地址。", "next_steps": "完成赔付后解冻。",
}  # fmt: skip


@pytest.fixture
def bookshop(tmp_path):
    """The shop, and what it paid."""
    with paying(tmp_path) as (settings, paid), Stage(tmp_path / "data", **settings) as shop:
        yield shop, paid


class Night:
    """What came to pass, as events: who, when, from where."""

    def __init__(self, shop):
        self.shop = shop

    def event(self, name, kind, user, at_ms, status="succeeded", *, ip="", **more):
        """One event; from the owner's own device at home unless the address is another's."""
        home = f"198.51.100.{1 + CUSTOMERS.index(user)}" if user in CUSTOMERS else "198.51.100.250"
        whose = "thief" if ip else user
        context = {"ip": ip or home, "device_id": f"of-{whose}", "country": "CN"}
        return {
            "id": name, "type": kind, "status": status, "time": to_rfc3339(at_ms), "user": {"id": user},
            "context": context, "session": {"id": f"s-{whose}-{user}"}, **more,
        }  # fmt: skip

    def spends(self, name, user, at_ms, amount_minor, instrument="balance", status="attempted", **more):
        """Value leaves an account."""
        kind = "gift_card_redeem" if instrument == "gift_card" else "payment"
        paid = {"id": f"t-{name}", "amount_minor": amount_minor, "currency": "CNY", "instrument": instrument}
        return self.event(name, kind, user, at_ms, status, transaction=paid, **more)

    def past(self):
        """Forty days ago everybody was here, at home."""
        began = self.shop.clock.at_ms - 40 * DAY_MS
        return [self.event(f"{user}-first", "login", user, began + n) for n, user in enumerate(CUSTOMERS)]

    async def theft(self, since_ms):
        """The thief enters four accounts and takes what the shop lets go; by account and event, what was lost."""
        at, lost = since_ms, {}
        for user, amounts in WANTED.items():
            at += 40 * MINUTE_MS
            await self.shop.happen(self.event(f"{user}-entered", "login", user, at, ip=THIEF))
            for number, amount in enumerate(amounts):
                at += MINUTE_MS
                spent = f"{user}-{number}", user, at, amount, "gift_card" if number else "balance"
                (decision,) = await self.shop.happen(self.spends(*spent, ip=THIEF))
                if decision["decision"] in ("allow", "review"):
                    done = self.spends(*spent, "succeeded", ip=THIEF) | {"id": f"{user}-stolen-{number}"}
                    await self.shop.happen(done)
                    lost.setdefault(user, {})[done["id"]] = amount
        return lost

    def wave(self, since_ms):
        """Then he tries the whole list, a password each."""
        for number, user in enumerate(CUSTOMERS[4:]):
            yield self.event(f"{user}-tried", "login", user, since_ms + number * 3_000, "failed", ip=THIEF)


class Tale:
    """The document, in its order."""

    def __init__(self, shop, paid):
        self.shop, self.paid, self.night = shop, paid, Night(shop)
        self.began = shop.clock.at_ms - 9 * HOUR_MS
        self.now = shop.clock.at_ms
        self.lost, self.scoped, self.freeze = {}, {}, {}
        self.case = self.incident = ""

    async def told(self):
        """Chapter by chapter."""
        for chapter in (
            self.past, self.evening, self.alarm, self.freeze_all, self.reach, self.tell_all, self.unfreeze,
            self.pay_all, self.close,
        ):  # fmt: skip
            await chapter()

    async def past(self):
        """Forty days ago everybody signed in at home."""
        await self.shop.does(
            "shop", "POST", "/v1/users/batch", [{"id": user, "region": "CN"} for user in CUSTOMERS]
        )
        await self.shop.happen(*self.night.past())

    async def evening(self):
        """The evening: passwords that were stolen elsewhere fit, and money leaves three accounts. At midnight the whole list is tried."""
        self.lost = await self.night.theft(self.began)
        wave = await self.shop.happen(*self.night.wave(self.shop.clock.at_ms - HOUR_MS))
        assert {each["decision"] for each in wave[-20:]} == {"deny"}
        assert self.lost == {
            "li": {"li-stolen-0": 300_00, "li-stolen-1": 120_01}, "wang": {"wang-stolen-0": 80_00},
            "zhao": {"zhao-stolen-0": 999_99},
        }  # fmt: skip

    async def alarm(self):
        """Li sees it and presses the button: somebody looks within four hours."""
        said = {"kind": "loss", "user": "li", "said": "我的余额没有了", "since": self.shop.ago(hours=9)}
        case = await self.shop.does("shop", "POST", "/v1/reports", said, language="zh")
        assert [each["path"] for each in case["offers"]] == ["/v1/users/li/freeze", "/v1/claims"], case

        self.case = case["case_id"]

        # Siti opens the incident from the address, and begins the playbook.
        signal = {
            "source": {"kind": "ip", "value": THIEF, "since": self.shop.ago(hours=10)},
            "elsewhere": "CN",
        }
        asked = signal | {"title": "撞库", "kind": "credential_stuffing", "severity": "critical"}
        shown = await self.shop.does("siti", "POST", "/v1/incidents/signals", asked)
        self.incident = shown["incident"]["id"]
        clocks = {each["clock"] for each in shown["incident"]["clocks"]}
        assert clocks >= {"may_have_happened", "reasonable_belief"}
        await self.shop.step("siti", self.incident, "clock", clock="aware")

    async def freeze_all(self):
        """Every balance and gift card is frozen at once: seen dry, then in force when the answer leaves. Browsing and signing in go on."""
        shown = await self.shop.step("siti", self.incident, "playbook", playbook="credential_stuffing")
        call = next(each["call"] for each in shown["playbook"]["steps"] if each["id"] == "freeze")
        looked = await self.shop.does("siti", call["method"], call["path"], call["body"])
        assert looked["measured"]["count"] == len(CUSTOMERS)
        order = {key: value for key, value in call["body"].items() if key not in ("dry_run", "review_at")} | {
            "ends_at": to_rfc3339(self.shop.clock.at_ms + 3 * DAY_MS), "release": ["password_changed", "staff_release"],
        }  # fmt: skip
        self.freeze = await self.shop.does("siti", "POST", "/v1/orders", order)
        assert self.freeze["state"] == "active"
        for user in CUSTOMERS:
            wants = (
                self.night.spends(f"{user}-pays", user, self.now, 1), self.night.spends(f"{user}-card", user, self.now, 1, "gift_card"),
                self.night.event(f"{user}-looks", "order_view", user, self.now), self.night.event(f"{user}-back", "login", user, self.now),
            )  # fmt: skip
            answers = [each["decision"] for each in await self.shop.happen(*wants)]
            assert answers[:2] == ["deny", "deny"], (user, answers)
            assert "deny" not in answers[2:], (user, answers)

    async def reach(self):
        """Whom it touched, of the whole list; the passwords that worked are reset, which takes two."""
        self.scoped = await self.shop.does("siti", "GET", f"/v1/incidents/{self.incident}/scopes/1")
        assert numbers(self.scoped) == {"reached": 44, "tried": 44, "entered": 4, "spent": 3, "exposed": 4}
        reset = {
            "kind": "reset", "target": {"victim_set_id": self.scoped["sets"]["entered"]}, "reason": "credential_stuffing",
            "incident": self.incident, "review_at": to_rfc3339(self.now + 30 * DAY_MS),
        }  # fmt: skip
        placed = await self.shop.does("siti", "POST", "/v1/orders", reset)
        assert placed["state"] == "pending_approval"
        path = f"/v1/orders/{placed['id']}"
        assert (await self.shop.does("budi", "POST", path + "/approve"))["state"] == "active"
        for task in ("freeze", "aware", "sources", "scope", "reset"):
            shown = await self.shop.step("siti", self.incident, "tick", task=task)
        shown = await self.shop.step(
            "siti", self.incident, "skip", task="remember", reason="the shop sees HMACs alone"
        )
        assert (steps_of(shown)["claims"], shown["incident"]["facts"]["subjects"]) == ("open", {"CN": 4})

    async def tell_all(self):
        """The authority and everybody whose account was tried are told the same morning, in Chinese, without a link."""
        for content, words in SAID.items():
            await self.shop.step("dewi", self.incident, "content", content=content, language="zh", text=words)
        self.shop.clock.advance(HOUR_MS)
        people = [{"user": user, "email": f"{user}@mail.example", "language": "zh"} for user in CUSTOMERS]
        mailing = await self.shop.tell(self.incident, "CN-pipl-subject", {"zh": LETTER}, people)
        assert [mailing[each] for each in ("sent", "refused", "queued")] == [len(CUSTOMERS), 0, 0]
        letters = self.shop.letters()
        assert sorted(to for to, _text in letters) == sorted(each["email"] for each in people)
        assert not [text for _to, text in letters if "http" in text or "冻结" not in text]
        for rule, receipt in (("CN-pipl-authority", "网信办 17"), ("CN-pipl-subject", mailing["id"])):
            shown = await self.shop.step("dewi", self.incident, "sent", rule=rule, receipt=receipt)
        assert nothing_late(shown), shown["obligations"]
        assert not [rule for rule, status in owed(shown).items() if status in ("open", "waiting")], owed(
            shown
        )

    async def unfreeze(self):
        """Li sets a new password and is out; Wang has not, and is not."""
        since = self.shop.clock.at_ms
        await self.shop.does(
            "shop", "PUT", "/v1/users/li", {"region": "CN", "password_set_at": to_rfc3339(since)}
        )
        out = {"users": ["li"], "cause": "password_changed"}
        await self.shop.does("shop", "POST", f"/v1/orders/{self.freeze['id']}/exceptions", out)
        await self.shop.does(
            "shop",
            "POST",
            f"/v1/orders/{self.freeze['id']}/exceptions",
            out | {"users": ["wang"]},
            status=403,
        )
        answers = await self.shop.happen(
            *(self.night.spends(f"{user}-again", user, since, 1) for user in ("li", "wang"))
        )
        assert [self.freeze["id"] in each["orders"] for each in answers] == [False, True]

    async def pay_all(self):
        """Every loss is paid in full, without a form: to the last fen, once."""
        victims = self.scoped["sets"]["spent"]
        await self.shop.make_whole(victims, self.lost, since_ms=self.began, until_ms=self.now)
        assert was_paid(self.paid) == sums(self.lost)

    async def close(self):
        """The three days are over: the rest is released by two, the case settled, the cause written down, the incident closed."""
        await self.shop.does("siti", "POST", f"/v1/orders/{self.freeze['id']}/release", {})
        await self.shop.does("siti", "POST", f"/v1/orders/{self.freeze['id']}/approve", status=403)
        await self.shop.does("budi", "POST", f"/v1/orders/{self.freeze['id']}/approve")
        (back,) = await self.shop.happen(
            self.night.spends("reader-39-again", "reader-39", self.shop.clock.at_ms, 1)
        )
        assert self.freeze["id"] not in back["orders"]
        await self.shop.does(
            "siti", "POST", f"/v1/reports/{self.case}", {"state": "confirmed", "reason": "loss_confirmed"}
        )
        for task in ("claims", "merchants", "duties", "tell", "release"):
            await self.shop.step("siti", self.incident, "tick", task=task)
        await self.shop.step(
            "dewi",
            self.incident,
            "learned",
            root_cause="reused passwords",
            lessons="screen passwords at sign-up",
        )
        await self.shop.step("dewi", self.incident, "tick", task="lessons")
        assert (await self.shop.step("siti", self.incident, "state", state="closed"))["incident"][
            "state"
        ] == "closed"


def test_the_bookshop(bookshop):
    """From the first stolen password to the closed incident: nobody missed, nothing late, every fen paid back."""
    shop, paid = bookshop
    shop.run(lambda stage: Tale(stage, paid).told())
    verified = CliRunner().invoke(main, ["ledger", "verify", "--data", str(shop.folder), "--json"])
    assert verified.exit_code == 0, verified.output
