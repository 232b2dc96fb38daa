"""What people write about a customer (complaints, notes of cases, reports) lies sealed and goes with the customer."""

from __future__ import annotations

import hashlib
import shutil

import msgspec
import pytest
from msgspec.structs import replace
from sqlalchemy import func, select, update

from shopward.claims.claim import Claim, Item
from shopward.claims.store import ClaimStore
from shopward.claims.tables import claim_record
from shopward.complaints.store import ComplaintStore
from shopward.complaints.tables import complaint_record
from shopward.config import Settings
from shopward.errors import Conflict, SealBroken
from shopward.flows.complain import Complained
from shopward.flows.report_cases import Noted
from shopward.flows.reports import Reported
from shopward.incidents import steps
from shopward.incidents.tables import incident_record
from shopward.screening.reports.store import ReportStore
from shopward.screening.reports.tables import screening_case, screening_note, screening_report
from shopward.service import Shopward
from shopward.vault import Write
from shopward.vault.tables import vault_erasure, vault_hold, vault_lock, vault_subject, vault_text
from vault.conftest import ANI, BUDI, SHOP

SAID = "the man next door opened the parcel"
NOTE = "was rude and sounded drunk"
MINE = "somebody ordered slippers for me"
COMPLAINED = Complained("u1", "service", SAID, key="key-u1")
HASH = hashlib.sha256(msgspec.json.encode(COMPLAINED)).hexdigest()
"""As an earlier version kept it."""


def told(shop, user="u1"):
    """A complaint, a doubt and a note about one customer; their ids."""
    complaint = shop.complaints.file(SHOP, Complained(user, "service", SAID, key=f"key-{user}"))
    case = shop.reports.take(Reported(kind="doubt", user=user, said=MINE), "en").case_id
    shop.report_cases.note(ANI, case, Noted(NOTE))
    return complaint.id, case


def words(shop, complaint_id, case_id):
    """What of it is read."""
    case = shop.report_cases.case(case_id, after="", limit=9)
    return [
        shop.complaints.get(complaint_id).statement,
        *(each.text for each in case.notes),
        *(each.body for each in case.reports),
    ]


def count(shop, table=vault_text):
    return shop.records.read(lambda each: each.scalar(select(func.count()).select_from(table)))


def in_clear(shop):
    """Put all of it back as an earlier version kept it."""
    room = shop.vault.room

    def work(connection):
        rows = connection.execute(select(vault_text.c.kind, vault_text.c.id)).all()
        for kind, text_id in rows:
            (text,) = room.texts.read(connection, kind, [text_id]).values()
            if kind == "complaint":
                store = ComplaintStore("main")
                store.put(connection, replace(store.get(connection, text_id), statement=text))
                table, values = complaint_record, {"said_hash": HASH}
            elif kind == "incident":
                table, values = incident_record, {"body": text}
            elif kind == "claim":
                claims, (name, at) = ClaimStore("main"), text_id.split(":")
                claim = claims.get(connection, name)
                history = list(claim.history)
                history[int(at)] = replace(history[int(at)], reason=text)
                claims.put(connection, replace(claim, history=tuple(history)))
                continue
            elif kind == "hold":
                table, values = vault_hold, {"reason": text}
            elif kind == "lock":
                table, values = vault_lock, {"reason": text}
            elif kind == "erasure":
                body = connection.scalar(select(vault_erasure.c.certificate))
                body = msgspec.json.encode(msgspec.json.decode(body) | {"reason": text}).decode()
                table, values = vault_erasure, {"certificate": body}
            elif kind == "note":
                table, values = screening_note, {"text": text}
            else:
                table, values = (screening_case if kind == "case" else screening_report), {"body": text}
            has_id = kind not in {"hold", "lock", "erasure"}
            mine = update(table).where(table.c.id == text_id) if has_id else update(table)
            connection.execute(mine.values(**values))
        connection.execute(vault_text.delete())

    shop.records.write(work)


def worked_on(shop):
    """A claim of a customer that somebody opened again and added evidence to, and an incident with a line; their ids."""
    now_ms = shop.clock.now_ms()
    item = Item(
        event_id="e-1", transaction_id="t-1", at_ms=now_ms, type="payment", amount_minor=5, currency="IDR"
    )
    claim = Claim(
        id="c-1", user=shop.vault.room.subject("u1"), state="declined", regime="full", created_ms=now_ms, items=(item,)
    )  # fmt: skip
    shop.records.write(lambda each: ClaimStore("main").add(each, [claim]))
    shop.claims.reopen(ANI, "c-1", SAID)
    shop.claims.add_evidence(BUDI, "c-1", "e-1", "device_binding", NOTE)
    incident = shop.incidents.open(
        ANI, title="a leak", kind="data_leak", severity="low", campaign="", began_ms=now_ms, ended_ms=0
    ).id
    shop.incidents.step(
        ANI, incident, "note", lambda each, by, at: steps.noted(each, MINE, at_ms=at, by=by, now_ms=at)
    )
    return "c-1", incident


def in_rows(shop):
    """Which words stand in the rows of claims and incidents."""
    texts = shop.records.read(
        lambda each: [
            *each.scalars(select(claim_record.c.body)), *each.scalars(select(incident_record.c.body))
        ]
    )  # fmt: skip
    return [word for word in (SAID, NOTE, MINE) if any(word in text for text in texts)]


def in_reasons(shop):
    """Which words stand in the rows of locks, holds and certificates."""
    columns = (vault_lock.c.reason, vault_hold.c.reason, vault_erasure.c.certificate)
    texts = shop.records.read(lambda each: [text for one in columns for text in each.scalars(select(one))])
    return [word for word in (SAID, NOTE, MINE) if any(word in text for text in texts)]


def restarted(shop, settings, clock):
    """The same store, opened by another process."""
    shop.close()
    return Shopward.open(settings, clock=clock)


def in_files(folder):
    """Which words stand in the raw bytes of the store."""
    raw = b"".join(each.read_bytes() for each in folder.glob("shopward.db*"))
    return [each for each in (SAID, NOTE, MINE) if each.encode() in raw]


def test_words_are_read_and_lie_nowhere_in_clear(lite, tmp_path):
    """By themselves, in lists, in what a customer is given; no file has them."""
    complaint, case = told(lite)
    said, note, report = words(lite, complaint, case)
    assert (said, note) == (SAID, NOTE)
    assert MINE in report
    assert [each.statement for each in lite.complaints.listed(user_id="u1", limit=9)] == [SAID]
    assert lite.complaints.acknowledge(ANI, complaint).statement == SAID
    own = lite.dossiers.of(ANI, "u1", "k-1", "en")
    assert ([each.notes for each in own.cases], own.complaints[0].statement) == ([[NOTE]], SAID)
    assert own.reports[0].said == MINE
    assert in_files(tmp_path / "data") == []
    again = lite.complaints.file(SHOP, Complained("u1", "service", SAID, key="key-u1"))
    assert (again.id, again.statement) == (complaint, SAID)
    with pytest.raises(Conflict):
        lite.complaints.file(SHOP, Complained("u1", "service", "other words", key="key-u1"))


@pytest.mark.parametrize("width", ["customer", "shop"])
def test_an_erasure_takes_the_words_and_leaves_the_rest(settings, clock, width):
    """The complaint and the case stay without a word; another customer's stay whole; a held class waits for its end."""
    with Shopward.open(replace(settings, vault_keys=width), clock=clock) as shop:
        mine, others = told(shop), told(shop, "u2")
        shop.vault.erasing.hold(ANI, "u1", classes=("support",), reason="a lawsuit")
        shop.vault.erasing.erase(ANI, "u1", classes=(), reason="asked", dry_run=False)
        assert words(shop, *mine)[0] == SAID
        foreseen = shop.vault.erasing.erase(ANI, "u2", classes=("support",), reason="", dry_run=True)
        assert foreseen.keys == (1 if width == "customer" else 0)
        done = shop.vault.erasing.release(BUDI, "u1", classes=("support",))
        assert {each.store: each.rows for each in done.stores}["vault_texts"] == 4
        said, note, report = words(shop, *mine)
        assert (said, note) == ("", "")
        assert MINE not in report
        assert words(shop, *others)[:2] == [SAID, NOTE]
        assert shop.complaints.get(mine[0]).state == "received"


def test_words_of_before_are_sealed_in_steps_and_read_meanwhile(settings, clock, tmp_path):
    """As an earlier version left them: read as they lie, then sealed, and gone from the files of SQLite."""
    shop = Shopward.open(settings, clock=clock)
    mine = told(shop)
    in_clear(shop)
    with restarted(shop, settings, clock) as shop:
        assert words(shop, *mine)[:2] == [SAID, NOTE]
        assert shop.complaints.acknowledge(ANI, mine[0]).statement == SAID
        assert shop.complaints.file(SHOP, COMPLAINED).id == mine[0]
        cases = ReportStore("main")
        read_before = shop.records.read(lambda each: cases.case(each, mine[1]))
        shop.vault.words.settle()
        shop.records.write(lambda each: cases.put_case(each, read_before))  # by a step that was under way
        assert count(shop) == 4
        assert words(shop, *mine)[:2] == [SAID, NOTE]
        hashes = shop.records.read(lambda each: each.scalar(select(complaint_record.c.said_hash)))
        assert hashes == shop.vault.words.keyed(HASH)
        assert shop.complaints.file(SHOP, COMPLAINED).id == mine[0]
        left = shop.records.read(
            lambda each: [
                each.scalar(select(complaint_record.c.body)),
                *each.scalars(select(screening_note.c.text)),
                *each.scalars(select(screening_report.c.body)),
                *each.scalars(select(screening_case.c.body)),
            ]
        )
        assert not any(word in text for text in left for word in (SAID, NOTE, MINE))
        assert left[1:] == ["", "", ""]
    if (tmp_path / "data" / "shopward.db").exists():
        assert in_files(tmp_path / "data") == []


def test_words_of_somebody_who_was_erased_are_dropped_and_not_sealed(settings, clock):
    """An erasure reaches what still lies in clear, and so does one that a restored store is told of."""
    shop = Shopward.open(settings, clock=clock)
    mine, others = told(shop), told(shop, "u2")
    in_clear(shop)
    with restarted(shop, settings, clock) as shop:
        clock.advance(1_000)
        shop.vault.erasing.erase(ANI, "u1", classes=(), reason="asked", dry_run=False)
        assert words(shop, *mine)[:2] == ["", ""]
        assert words(shop, *others)[:2] == [SAID, NOTE]


def test_a_restored_store_forgets_words_before_it_serves(tmp_path, clock):
    """The store of before the erasure, with words in clear and sealed, beside the journal of after it."""
    data = tmp_path / "data"
    settings = Settings(data=str(data))
    shop = Shopward.open(settings, clock=clock)
    mine = told(shop)
    in_clear(shop)
    late = shop.complaints.file(SHOP, Complained("u1", "service", SAID)).id
    shop.close()
    shutil.copytree(data, tmp_path / "backup")
    clock.advance(1_000)
    with Shopward.open(settings, clock=clock) as shop:
        shop.vault.erasing.erase(ANI, "u1", classes=(), reason="asked", dry_run=False)
    journal = (data / "vault.erasures").read_bytes()
    shutil.rmtree(data)
    shutil.copytree(tmp_path / "backup", data)
    (data / "vault.erasures").write_bytes(journal)
    with Shopward.open(settings, clock=clock) as shop:
        assert words(shop, *mine)[:2] == ["", ""]
        assert shop.complaints.get(late).statement == ""
        assert count(shop) == 1  # why it was done
    assert in_files(data) == []


def test_words_under_the_shops_key_follow_it(settings, clock):
    """After a rotation of ``data`` no text needs the old key, and each is read; of ``kek`` the same."""
    with Shopward.open(replace(settings, vault_keys="shop"), clock=clock) as shop:
        mine = told(shop)
        link = shop.reports.take(Reported(kind="link", url="https://hadiah.example/x", said=MINE), "en")
        shop.vault.rekeying.begin(ANI, "data")
        left = [shop.records.read(lambda each: shop.vault.room.rotations.left(each, "data", 1))]
        while shop.vault.rekeying.step():
            left.append(shop.records.read(lambda each: shop.vault.room.rotations.left(each, "data", 1)))
        assert left[0] > left[-1]
        assert left == sorted(left, reverse=True)
        assert shop.records.read(lambda each: shop.vault.room.texts.sealed_by(each, 1)) == 0
        assert words(shop, *mine)[:2] == [SAID, NOTE]
        found = shop.report_cases.case(link.case_id, after="", limit=9)
        assert MINE in found.reports[0].body
        assert "hadiah.example/x" in found.case.body


def test_words_of_nobody_and_of_a_token_alone_have_keys_too(lite):
    """A case of no customer lies under the shop's; a customer first known by a note is named by what comes later."""
    link = lite.reports.take(Reported(kind="link", url="https://hadiah.example/x", said=MINE), "en")
    lite.report_cases.note(ANI, link.case_id, Noted(NOTE))
    (shops,) = lite.records.read(lambda each: each.scalars(select(vault_subject.c.subject)).all())
    assert shops == ""
    room = lite.vault.room
    lite.records.write(
        lambda each: lite.vault.words.keep(each, "note", "rn-x", NOTE, subject=room.subject("u3"))
    )
    lite.vault.custody.put(SHOP, [Write("c", "u3", "", "conversation", {"channel": "mail", "text": SAID})])
    opened = lite.records.read(lambda each: room.sealed.open(each, room.sealed.rows(each, ["c"])))
    assert opened[0].user == "u3"


def test_a_claim_and_an_incident_say_what_people_wrote_and_their_rows_do_not(settings, clock, tmp_path):
    """The reason of an appeal and the place of evidence go with the customer, the record of an incident with nobody's; both move."""
    with Shopward.open(settings, clock=clock) as shop:
        claim, incident = worked_on(shop)
        reasons = [each.reason for each in shop.claims.get(claim)[0].history]
        assert [SAID, f"device_binding: {NOTE}"] == [each for each in reasons if SAID in each or NOTE in each]
        assert [each.text for each in shop.incidents.get(incident)[0].timeline][-1] == MINE
        assert in_rows(shop) == []
        in_clear(shop)
        assert len(in_rows(shop)) == 3
    with Shopward.open(settings, clock=clock) as shop:
        assert [
            each.reason
            for each in shop.claims.listed(state="", user_id="", incident="", before="", limit=9)[0].history
        ] == reasons
        assert shop.incidents.listed(state="", before="", limit=9)[0].timeline[-1].text == MINE
        shop.vault.words.settle()
        assert in_rows(shop) == []
        clock.advance(1_000)
        shop.vault.erasing.erase(ANI, "u1", classes=(), reason="asked", dry_run=False)
        left = [each.reason for each in shop.claims.get(claim)[0].history]
        assert left == ["" if SAID in each or NOTE in each else each for each in reasons]
        assert shop.incidents.get(incident)[0].timeline[-1].text == MINE


def test_why_something_is_locked_held_or_erased_is_sealed_too(settings, clock):
    """Told to those who ask, not in the rows, gone with the lock or the hold; what lay in clear moves."""
    with Shopward.open(settings, clock=clock) as shop:
        told(shop)
        shop.vault.guard.lock(ANI, "subject", "u1", SAID)
        shop.vault.guard.lock(ANI, "record", "o-1", SAID)
        assert [
            each.reason for each in shop.vault.erasing.hold(ANI, "u1", classes=("orders",), reason=NOTE)
        ] == [NOTE]
        clock.advance(1_000)
        shop.vault.erasing.erase(ANI, "u1", classes=(), reason=MINE, dry_run=False)

        def reasons(shop):
            return [
                each.reason for each in (*shop.vault.guard.locks(), *shop.vault.erasing.certificates("u1"))
            ]

        assert reasons(shop) == [SAID, SAID, MINE]
        assert in_reasons(shop) == []
        in_clear(shop)
        assert sorted(in_reasons(shop)) == sorted([SAID, NOTE, MINE])
    with Shopward.open(settings, clock=clock) as shop:
        assert reasons(shop) == [SAID, SAID, MINE]
        shop.vault.words.settle()
        assert in_reasons(shop) == []
        assert reasons(shop) == [SAID, SAID, MINE]
        assert [
            each.reason for each in shop.vault.erasing.hold(ANI, "u1", classes=("profile",), reason=SAID)
        ] == [NOTE, SAID]
        shop.vault.guard.unlock(BUDI, "subject", "u1")
        shop.vault.erasing.release(BUDI, "u1", classes=("orders",))
        kinds = shop.records.read(lambda each: each.scalars(select(vault_text.c.kind)).all())
        assert sorted(kinds) == ["erasure", "erasure", "hold", "lock"]


def test_a_moved_text_does_not_open(lite):
    """From one complaint to another, and from one customer to another."""
    mine, others = told(lite), told(lite, "u2")
    sealed = select(vault_text.c.sealed).where(vault_text.c.id == mine[0])
    for changes in ({"sealed": lite.records.read(lambda each: each.scalar(sealed))},):
        lite.records.write(
            lambda each, changes=changes: each.execute(
                update(vault_text).where(vault_text.c.id == others[0]).values(**changes)
            )
        )
        with pytest.raises(SealBroken):
            lite.complaints.get(others[0])
