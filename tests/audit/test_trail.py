"""Appending: one transaction with the deed, one chain whoever appends, and nothing half accepted."""

from __future__ import annotations

import itertools
import math
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from msgspec.structs import replace
from sqlalchemy import delete, func, select
from sqlalchemy.exc import DBAPIError, IntegrityError

from audit.append_worker import append_some
from audit.conftest import KEY, say
from shopward.adapters.sql import open_engine
from shopward.audit import AuditTrail, Deed, Line, verify
from shopward.audit.records import DETAILS_BYTES_MAX
from shopward.audit.tables import audit_checkpoint, audit_entry, audit_head, metadata
from shopward.errors import InvalidField, Misconfigured

TESTS = Path(__file__).parents[1]


def report_on(engine, **options):
    """What the verifier says."""
    with engine.begin() as connection:
        return verify(connection, public_key=KEY.public_key, **options)


def test_a_line_is_kept_as_it_was_told(engine):
    """What append gives back is what the log holds, with sorted details."""
    trail = AuditTrail()
    with engine.begin() as connection:
        made = say(
            trail, connection, 7, deed=Deed.KEY_REVOKE, details={"b": [1.5, None, True], "a": {"é": "x"}}
        )
    with engine.begin() as connection:
        (kept,) = trail.read(connection, after_seq=0, limit=10)
    assert kept == made
    assert (kept.seq, kept.at_ms, kept.actor, kept.deed, kept.subject) == (
        1,
        1_007,
        "k:1",
        "key:revoke",
        "o:7",
    )
    assert kept.details == '{"a":{"é":"x"},"b":[1.5,null,true]}'


def test_a_rollback_leaves_no_hole(engine):
    """A deed that is called off takes its line with it, and the next line has its number."""
    trail = AuditTrail(signer=KEY, every=3)
    for number in range(9):
        with engine.connect() as connection, connection.begin() as transaction:
            say(trail, connection, number)
            if number % 2:
                transaction.rollback()
    with engine.connect() as connection, connection.begin():
        say(trail, connection, 9)
        with connection.begin_nested() as part:
            say(trail, connection, 10)
            part.rollback()
        say(trail, connection, 11)
    report = report_on(engine)
    assert report.intact
    assert report.entries == 7 + report.checkpoints
    assert report.checkpoints == 3


def test_each_so_many_th_entry_is_a_checkpoint(engine):
    """They come by themselves in the transaction of the deed before, and only where there is a key."""
    with engine.begin() as connection:
        for number in range(10):
            say(AuditTrail(signer=KEY, every=4), connection, number)
        assert connection.scalars(select(audit_checkpoint.c.seq).order_by("seq")).all() == [4, 8, 12]
        for number in range(10):
            say(AuditTrail(every=4), connection, number)
        assert connection.scalar(select(func.max(audit_checkpoint.c.seq))) == 12
        newest = AuditTrail().newest_checkpoint(connection)
        with pytest.raises(Misconfigured):
            AuditTrail().checkpoint(connection, at_ms=0, actor="cli")
    assert newest.seq == 12
    assert newest.is_signed_by(KEY.public_key)
    assert report_on(engine, checkpoint=newest).intact


def test_many_lines_in_one_go_are_the_same_chain(engine):
    """append_many is append for each, checkpoints between them included; one bad line and none is written."""
    lines = [
        Line(at_ms=number, actor="k:1", deed="order:release", subject=f"u:{number}", details={"n": number})
        for number in range(25)
    ]
    one, many = AuditTrail("one", signer=KEY, every=4), AuditTrail("one", signer=KEY, every=4)
    with engine.connect() as connection:
        with connection.begin() as transaction:
            singly = [
                one.append(connection, **{name: getattr(line, name) for name in Line.__struct_fields__})
                for line in lines
            ]
            signed = one.newest_checkpoint(connection)
            transaction.rollback()
        with connection.begin():
            assert many.append_many(connection, []) == []
            assert many.append_many(connection, lines[:9]) + many.append_many(connection, lines[9:]) == singly
            assert many.newest_checkpoint(connection) == signed
            with pytest.raises(InvalidField):
                many.append_many(connection, [lines[0], replace(lines[1], actor="")])
    assert report_on(engine, tenant="one").entries == 33


def test_tenants_have_chains_of_their_own(engine):
    """Each counts from 1, and the same line has another hash in another log."""
    with engine.begin() as connection:
        ours = say(AuditTrail("main", signer=KEY, every=2), connection, 1)
        theirs = say(AuditTrail("other", signer=KEY, every=2), connection, 1)
    assert ours.seq == theirs.seq == 1
    assert ours.hash != theirs.hash
    assert report_on(engine).entries == report_on(engine, tenant="other").entries == 2
    assert report_on(engine, tenant="nobody").entries == 0


@pytest.mark.parametrize("kind", ["threads", "processes"])
def test_appenders_at_once_make_one_chain(engine, place, kind):
    """Four appenders on an empty log, each of them calling off every third deed: no hole, no fork, nothing lost."""
    count = 12
    if kind == "threads":
        with ThreadPoolExecutor(4) as pool:
            kept = list(pool.map(append_some, itertools.repeat(engine), range(4), itertools.repeat(count)))
    else:
        worker = [sys.executable, str(TESTS / "audit" / "append_worker.py"), place.url]
        environment = os.environ | {"PYTHONPATH": str(TESTS)}
        started = [
            subprocess.Popen([*worker, str(n), str(count)], stdout=subprocess.PIPE, env=environment)
            for n in range(4)
        ]
        kept = [int(process.communicate(timeout=60)[0]) for process in started]
    report = report_on(engine)
    assert report.fault is None
    assert kept == [8] * 4
    assert report.entries == 32 + report.checkpoints
    with engine.begin() as connection:
        lines = AuditTrail().read(connection, after_seq=0, limit=100)
    for worker_number in range(4):
        mine = [line.at_ms for line in lines if line.actor == f"k:{worker_number}"]
        assert mine == sorted(mine)


def test_a_serialisation_failure_is_the_callers_to_repeat(pg_place):
    """At REPEATABLE READ the second appender is told 40001, and its repeated transaction goes through."""
    engine = open_engine(pg_place.url)
    metadata.create_all(engine)
    trail = AuditTrail()
    with engine.begin() as connection:
        say(trail, connection, 0)
    strict = engine.execution_options(isolation_level="REPEATABLE READ")
    with strict.connect() as late:
        late.execute(select(func.count()).select_from(audit_entry)).scalar()
        with engine.begin() as connection:
            say(trail, connection, 1)
        with pytest.raises(DBAPIError) as caught:
            say(trail, late, 2)
        assert caught.value.orig.sqlstate == "40001"
        late.rollback()
        say(trail, late, 2)
        late.commit()
    assert report_on(engine).entries == 3
    engine.dispose()


def test_a_lost_head_stops_the_log(engine):
    """Without its head the log does not begin again over what is there."""
    with engine.begin() as connection:
        say(AuditTrail(), connection, 0)
        connection.execute(delete(audit_head))
    with pytest.raises(IntegrityError), engine.begin() as connection:
        say(AuditTrail(), connection, 1)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("at_ms", 2**63),
        ("at_ms", 1.0),
        ("at_ms", True),
        ("actor", ""),
        ("actor", "x" * 129),
        ("actor", "a\0b"),
        ("actor", "\ud800"),
        ("actor", 7),
        ("subject", ""),
        ("subject", "x" * 129),
        ("deed", "order:eat"),
        ("deed", "audit:checkpoint"),
        ("details", None),
        ("details", []),
        ("details", {1: 2}),
        ("details", {"x": b"bytes"}),
        ("details", {"x": math.nan}),
        ("details", {"x": 2**63}),
        ("details", {"x": "\udfff"}),
        ("details", {"\ud800": 1}),
        ("details", {"x": "y" * DETAILS_BYTES_MAX}),
        ("details", {"x": [[[[[[[[1]]]]]]]]}),
    ],
)
def test_what_the_log_does_not_take_is_refused_before_anything_is_written(engine, field, value):
    """The field is named, the value is not, and the transaction can go on."""
    with engine.begin() as connection:
        with pytest.raises(InvalidField) as caught:
            say(AuditTrail(), connection, 1, **{field: value})
        say(AuditTrail(), connection, 2)
    assert caught.value.path == field
    assert "xxx" not in str(caught.value)
    assert report_on(engine).entries == 1


def test_longest_values_are_kept(engine):
    """The limits themselves pass, also in characters of four bytes and with times before the epoch."""
    with engine.begin() as connection:
        say(
            AuditTrail(),
            connection,
            0,
            at_ms=-(2**63) + 1,
            actor="\U0001f512" * 128,
            subject="x" * 128,
            details={"x": "y" * (DETAILS_BYTES_MAX - 8)},
        )
    assert report_on(engine).intact


@pytest.mark.parametrize("options", [{"tenant": ""}, {"tenant": "a/b"}, {"tenant": "x" * 65}, {"every": 1}])
def test_a_trail_that_cannot_work_is_misconfigured(options):
    """A tenant's name and the distance of checkpoints are looked at before the first line."""
    with pytest.raises(Misconfigured):
        AuditTrail(**options)
