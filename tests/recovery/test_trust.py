"""Trust after what happened, the table of states, and the texts: pure, so held by themselves."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import get_args

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from hypothesis import given
from hypothesis import strategies as st

import shopward.recovery
from shopward.adapters.sql import SqlEventLog, open_engine
from shopward.errors import Conflict
from shopward.protection.orders import REASON_CODES
from shopward.recovery.cases import PROOF_MS, Case, has_lapsed
from shopward.recovery.states import ARROWS, FINAL, STATES, STEPS, Verb, is_done, moved
from shopward.recovery.tables import metadata
from shopward.recovery.trust import PREFERRED, trust_after
from shopward.stepup import StepUpRefused
from shopward.stepup.factors import LEVELS, offer
from stepup.conftest import place, postgres  # noqa: F401 -- fixtures

FACTORS = st.sets(st.sampled_from(PREFERRED))
TEXTS = tomllib.loads((Path(shopward.recovery.__file__).parent / "texts.toml").read_text(encoding="utf-8"))


@given(
    reason=st.sampled_from([*REASON_CODES, "something new"]),
    changed=st.sets(st.sampled_from(["email_change", "phone_change", "payee_add"])),
    enrolled=FACTORS,
    excluded=FACTORS,
    has=FACTORS,
)
def test_what_the_threat_may_own_is_never_offered(reason, changed, enrolled, excluded, has):
    """Whatever happened, in whatever company; and one sign more never makes a proof easier."""
    trust = trust_after(reason, changed=changed, enrolled_since=enrolled, excluded=excluded)
    plain = trust_after(reason, changed=(), enrolled_since=())
    assert trust.level_min == plain.level_min
    assert trust.excluded >= plain.excluded | enrolled | excluded
    try:
        offered = offer(
            preferred=PREFERRED, excluded=trust.excluded, available=has, level_min=trust.level_min
        )
    except StepUpRefused as refused:
        assert refused.code == "no_factor_left"
        return
    assert not {*offered} & (enrolled | excluded)
    assert all(LEVELS[factor] >= trust.level_min for factor in offered)
    assert not ("email_change" in changed and "email" in offered)
    assert not ("phone_change" in changed and "whatsapp" in offered)


def test_a_reason_that_is_not_in_the_table_asks_for_the_most():
    """Level 2, and no code that can be read on its way."""
    assert trust_after("meteor", changed=(), enrolled_since=()).level_min == 2
    assert {"email", "whatsapp"} <= trust_after("meteor", changed=(), enrolled_since=()).excluded


def test_the_only_way_to_the_end_is_through_every_step():
    """From frozen, one after the other; nothing else reaches released, and nothing leaves it."""
    state, taken = "frozen", []
    while state not in FINAL:
        taken.append(STEPS[state])
        state = moved(state, STEPS[state])
    assert (state, taken) == ("released", ["identity", "password", "sessions", "review", "release"])
    assert {"released"} == FINAL
    for before in STATES:
        for verb in get_args(Verb):
            if (before, verb) not in ARROWS:
                with pytest.raises(Conflict):
                    moved(before, verb)
    assert {end for (_start, verb), end in ARROWS.items() if verb in ("freeze", "lapse")} == {"frozen"}
    assert is_done("ended", "password")
    assert not is_done("proved", "password")


def test_a_proof_is_over_after_an_hour_and_no_clock_makes_it_newer():
    """A clock that falls back keeps it as it was."""
    case = Case(
        id="r-1",
        user="u",
        state="proved",
        reason="phishing",
        opened_ms=0,
        since_ms=0,
        proved_ms=1_000_000_000,
    )
    assert not has_lapsed(case, "password", case.proved_ms + PROOF_MS - 1)
    assert has_lapsed(case, "password", case.proved_ms + PROOF_MS)
    assert not has_lapsed(case, "password", 0)
    assert not has_lapsed(case, "identity", case.proved_ms + PROOF_MS)


def test_every_state_is_told_in_three_languages_without_a_link():
    """The same states and sentences in each."""
    for language in ("id", "zh", "en"):
        assert set(TEXTS[language]) == set(STATES)
        for texts in TEXTS[language].values():
            assert set(texts) == {"stopped", "works", "next"}
            assert not any(re.search(r"https?:|www\.|\{", text) for text in texts.values())


def test_the_migrations_make_the_tables_of_the_code(place):  # noqa: F811 -- the fixture
    """Column by column, key by key; the tenant leads every key."""
    SqlEventLog.open(place.url).close()
    engine = open_engine(place.url)
    with engine.begin() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        found = compare_metadata(context, metadata)
    engine.dispose()
    assert [each for each in found if "remove" not in str(each[0])] == []
    assert all(next(iter(table.primary_key)).name == "tenant" for table in metadata.sorted_tables)
