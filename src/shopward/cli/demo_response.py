"""The demo's answer to its first alarm: an incident from the campaign, a freeze for whom it entered, a notice to each of them.

Promise: everything is asked of the demo's own server over its HTTP API, by two people with a key each, and each notice is a real mail that the
server hands to a real mailbox on this machine; addresses are made up, and no mail leaves it. Times are measured: from when the first event of the
attack was handed to the server until the first mail was in the mailbox.
"""

from __future__ import annotations

import http.client
import json
from time import perf_counter, sleep
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from urllib.parse import quote, urlsplit

import click

from shopward.errors import StoreUnavailable
from shopward.values import DAY_MS, SystemClock, to_rfc3339

if TYPE_CHECKING:
    from collections.abc import Callable

    from shopward.testing.mailbox import Mailbox

WAIT_S: Final = 20.0
"""So long the demo waits for what the server does beside its answers."""
RECORDED_S: Final = 1.0
"""So long for a campaign to be recorded, before more events are sent."""
LETTER: Final = {
    "en": {"subject": "About your account", "text": (
        "Somebody else signed in to your account with a password from another site. We froze your balance and your gift cards; nobody can spend"
        " them. Open our app as usual and set a new password. We never ask for a code or a password by message."
    )},
    "id": {"subject": "Tentang akun Anda", "text": (
        "Orang lain masuk ke akun Anda dengan kata sandi dari situs lain. Saldo dan kartu hadiah Anda kami bekukan; tidak ada yang dapat"
        " memakainya. Buka aplikasi kami seperti biasa dan buat kata sandi baru. Kami tidak pernah meminta kode atau kata sandi lewat pesan."
    )},
    "zh": {"subject": "关于您的账户", "text": (
        "有人用从其他网站得到的密码登录了您的账户。我们已冻结您的余额和礼品卡，任何人都无法使用。请像平时一样打开我们的应用，设置新密码。"
        "我们绝不会通过消息索要验证码或密码。"
    )},
}  # fmt: skip


class Answered(NamedTuple):
    """What was done about the first campaign: its id, the incident, the order, the mailing."""

    campaign: str
    incident: str
    order: str
    mailing: str


class Asking:
    """Asks the demo's server, as one of its people.

    Args:
        url: of the server.
        key: whose.
    """

    def __init__(self, url: str, key: str) -> None:
        address = urlsplit(url)
        self._connection = http.client.HTTPConnection(
            address.hostname or "127.0.0.1", address.port, timeout=60
        )
        self._headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}

    def ask(
        self, method: str, path: str, body: Any = None, *, lines: bool = False, missing: bool = False
    ) -> Any:
        """The answer; ``None`` for a 404 where ``missing`` allows it.

        Raises:
            StoreUnavailable: the server refused it.
        """
        raw = None if body is None else "\n".join(map(json.dumps, body)) if lines else json.dumps(body)
        headers = self._headers | ({"Content-Type": "application/x-ndjson"} if lines else {})
        self._connection.request(method, path, raw, headers)
        response = self._connection.getresponse()
        said = response.read()
        if response.status == http.client.NOT_FOUND and missing:
            return None
        if response.status >= http.client.BAD_REQUEST:
            raise StoreUnavailable(
                "the server refused a call", found=f"{response.status}: {said[:300].decode()}"
            )
        return json.loads(said)


class Responder:
    """Watches for the first campaign and answers it, once.

    Args:
        url: of the server.
        key: of its administrator.
        mailbox: where its mail goes.
    """

    def __init__(self, url: str, key: str, mailbox: Mailbox) -> None:
        self._asking = Asking(url, key)
        self._url = url
        self._mailbox = mailbox
        self.answered: Answered | None = None
        self.first_s = 0.0

    def look(self, handed_s: dict[str, float]) -> None:
        """Answer the first campaign that there is, if it was not answered yet; ``handed_s`` says when each event was handed over."""
        if self.answered is not None:
            return
        found = self._asking.ask("GET", "/v1/campaigns")["campaigns"]
        live = [each for each in found if each["entered"] and not each["heir"]]  # an heir has the members
        if live:
            self._answer(live[-1]["id"], handed_s)

    def _answer(self, campaign: str, handed_s: dict[str, float]) -> None:
        ask = self._asking.ask
        shown = self._looked(lambda: self._recorded(campaign), RECORDED_S)
        if shown is None:  # it is looked at again after the next batch
            return
        made = ask("POST", "/v1/incidents/signals", {"campaign": campaign})
        incident, path = made["incident"]["id"], f"/v1/incidents/{made['incident']['id']}"
        scope = ask("GET", f"{path}/scopes/1")
        ends_at = to_rfc3339(SystemClock().now_ms() + 3 * DAY_MS)
        order = ask("POST", "/v1/orders", {
            "kind": "freeze", "scope": ["stored_value"], "reason": "credential_stuffing", "incident": incident,
            "target": {"victim_set_id": scope["sets"]["entered"]}, "ends_at": ends_at, "release": ["staff_release"],
        })  # fmt: skip
        people = ask("GET", f"{path}/victims?version=1&grade=entered&limit=200")["people"]
        mailing = ask("POST", "/v1/notices", {"incident": incident, "rule": "ID-subject", "letters": LETTER})[
            "id"
        ]
        told = [
            {"user": each["user"], "email": f"{each['user']}@mail.example", "language": each["language"]}
            for each in people
        ]
        ask("POST", f"/v1/notices/{mailing}/recipients", told, lines=True)
        second = ask("POST", "/v1/keys", {"name": "budi-laptop", "person": "budi", "roles": ["analyst"]})[
            "key"
        ]
        Asking(self._url, second).ask("POST", f"/v1/notices/{mailing}/start")
        self._until(lambda: self._mailbox.mails)
        self.answered = Answered(campaign, incident, order["id"], mailing)
        members = [handed_s[each["event_id"]] for each in shown["members"] if each["event_id"] in handed_s]
        self.first_s = min(members, default=perf_counter())
        grades = {each["kind"]: each["users"] for each in scope["numbers"] if each["of"] == "grade"}
        numbers = ", ".join(f"{users} {grade}" for grade, users in grades.items())
        click.secho(
            f"ALARM        {shown['campaign']['kind']}: incident {incident[:12]}..., {numbers}; balances of {len(people)} frozen,"
            f" {len(told)} notices under way",
            fg="magenta",
        )

    def summary(self, began: str, alarm: str) -> None:
        """What came of it, as the server and the mailbox tell.

        Args:
            began: when the attack's first event happened, by the shop's clock.
            alarm: when it was noticed, by the same.
        """
        answered = self.answered
        if answered is None:
            click.echo("no campaign that entered an account was recorded in time: nobody was told")
            return
        done = self._until(lambda: self._done(answered.mailing))
        first = self._mailbox.mails[0]
        orders = self._asking.ask("GET", "/v1/orders")["orders"]
        click.echo(f"orders in force: {sum(each['state'] == 'active' for each in orders)}")
        click.echo(f"notices: {done['sent']} handed in, {len(self._mailbox.mails)} mails in the mailbox")
        click.echo(
            f"from the first attack event to the first notice: {first.taken_s - self.first_s:.1f} s after it was handed to the server"
            f" (by the shop's clock it began {began} and was noticed {alarm})"
        )

    def _recorded(self, campaign: str) -> Any:
        """A campaign as it is recorded, once somebody is known to be entered: what decisions know is written a moment later."""
        path = f"/v1/campaigns/{quote(campaign)}?limit=200"
        shown = page = self._asking.ask("GET", path, missing=True)
        while page and page["next"]:  # members come by token, so that who is entered may be on any page
            page = self._asking.ask("GET", f"{path}&after={quote(page['next'])}")
            shown["members"] += page["members"]
        return shown if shown and any(each["entered"] for each in shown["members"]) else None

    def _done(self, mailing: str) -> Any:
        shown = self._asking.ask("GET", f"/v1/notices/{mailing}")
        return shown if shown["state"] == "done" else None

    def _until(self, look: Callable[[], Any]) -> Any:
        """What a look gives as soon as it gives something; raises ``StoreUnavailable``."""
        found = self._looked(look, WAIT_S)
        if found is None:
            raise StoreUnavailable(
                "the server did not do it in time", expected=f"within {WAIT_S:.0f} s", found="nothing"
            )
        return found

    def _looked(self, look: Callable[[], Any], within_s: float) -> Any:
        """What a look gives within a time, or ``None``."""
        until_s = perf_counter() + within_s
        while perf_counter() < until_s:
            if found := look():
                return found
            sleep(0.05)
        return None
