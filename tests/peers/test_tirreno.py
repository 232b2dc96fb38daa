"""tirreno's forms as events: field by field, and whatever else somebody may send."""

import json
from urllib.parse import urlencode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from peers.tokens import NOW_MS, blind
from shopward.errors import BadInput, InputTooLarge
from shopward.events import canonical_bytes
from shopward.events.intake import DEFAULT_LIMITS
from shopward.http.peers.tables import table_of
from shopward.http.peers.tirreno import form_of, tirreno_event

BASE = {"userName": "u-7", "ipAddress": "203.0.113.7", "url": "/a", "eventTime": "2026-01-05 00:00:01.250"}


def form_with(**fields):
    """A form of the required fields and these; ``None`` takes one away."""
    told = {name: value for name, value in (BASE | fields).items() if value is not None}
    return urlencode(told).encode()


def test_a_login_is_a_login(tirreno, form):
    """User, device, network and page of the documented form stand where ours have them."""
    event = tirreno(form("login"))
    assert (event.type, event.status, event.user.id) == ("login", "succeeded", "u-7")
    assert event.time.isoformat() == "2026-01-05T00:00:01.250000+00:00"
    assert event.user.registered_at.year == 2024
    assert (event.context.ip, event.context.language) == ("203.0.113.7", "fr-fr")
    assert (event.context.os, event.context.browser) == ("Windows 10", "Chrome 120")
    assert event.properties["url"] == "/login"
    assert event.properties["http_code"] == "200"


def test_nothing_that_names_the_customer_is_left(tirreno, form):
    """Mail and phone are tokens, names are gone, and so is a URL's query."""
    event = tirreno(form("login"))
    written = canonical_bytes(event).decode()
    assert not [
        word
        for word in ("Rina", "rina", "Toko", "811", "Contoh", "account")
        if word in written.replace("account_login", "")
    ]
    assert event.user.tokens.email
    assert event.user.tokens.phone


@pytest.mark.parametrize("word", sorted(table_of("tirreno").types))
def test_every_word_of_tirreno_has_a_type(tirreno, word):
    """A failed login and an error page have failed, all else has succeeded."""
    event = tirreno(form_with(eventType=word))
    assert event.properties["name"] == word
    assert event.status == ("failed" if word in ("account_login_fail", "page_error") else "succeeded")


def test_without_a_word_it_is_a_page(tirreno):
    """A view, or an error page where the code says so."""
    assert tirreno(form_with()).properties["name"] == "page_view"
    assert tirreno(form_with(httpCode="404")).properties["name"] == "page_error"


def test_changes_come_in_brackets_or_as_json(tirreno, form):
    """PHP's form of an array and JSON say the same; values are tokens."""
    event = tirreno(form("field_edit"))
    assert event.type == "profile_update"
    assert [change.field for change in event.changes] == ["email", "nickname"]
    rows = [{"field_id": "email", "old_value": "rina@toko.example", "new_value": "stranger@mail.example"},
            {"field_id": "nickname", "new_value": "rr"}]  # fmt: skip
    again = tirreno(form_with(eventType="field_edit", fieldHistory=json.dumps(rows)))
    assert again.changes == event.changes
    mail = tirreno(form("email_change"))
    assert (mail.type, mail.changes) == ("email_change", event.changes[:1])
    assert b"stranger" not in canonical_bytes(mail)


def test_who_has_no_name_is_known_by_mail(tirreno):
    """As in tirreno; a failed login may have neither, and everything else needs one."""
    first = tirreno(form_with(userName=None, emailAddress="a@b.example"))
    again = tirreno(form_with(userName=None, emailAddress="A@B.example", url="/b"))
    assert first.user.id == again.user.id != ""
    nobody = tirreno(form_with(userName=None, eventType="account_login_fail"))
    assert (nobody.user.id, nobody.user.known) == ("", False)
    with pytest.raises(BadInput) as refused:
        tirreno(form_with(userName=None))
    assert refused.value.path == "userName"


def test_what_cannot_be_read_is_left_out(tirreno):
    """A bad address, a bad time and an empty field cost nothing; without a time the server's clock is used."""
    event = tirreno(
        form_with(ipAddress="999.1.1.1", eventTime="soon", userCreated="never", browserLanguage="*;q")
    )
    assert event.id == "tirreno-new"
    assert int(event.time.timestamp() * 1000) == NOW_MS
    assert b"999" not in canonical_bytes(event)


def test_the_same_form_is_the_same_event(tirreno):
    """Its time has milliseconds; another field makes another event."""
    assert tirreno(form_with()).id == tirreno(form_with()).id
    assert tirreno(form_with(url="/b")).id != tirreno(form_with()).id


def test_too_many_fields_are_refused():
    """Before they are looked at."""
    with pytest.raises(InputTooLarge):
        form_of(b"&".join(b"a%d=1" % number for number in range(500)))


@settings(max_examples=150, deadline=None)
@given(raw=st.binary(max_size=200) | st.dictionaries(
    st.sampled_from([*BASE, "eventType", "payload", "fieldHistory", "fieldHistory[0][field_id]", "payload[x]", "httpCode"]),
    st.text(max_size=30)).map(lambda fields: urlencode(fields, errors="replace").encode()))  # fmt: skip
def test_whatever_is_sent_is_an_event_or_a_refusal(raw):
    """No bytes break the mapping."""
    try:
        form = form_of(raw)
        made = tirreno_event(
            form, raw, blind=blind, limits=DEFAULT_LIMITS, now_ms=NOW_MS, new_id="tirreno-new"
        )
    except BadInput as refused:
        assert refused.code
    else:
        assert made.type in table_of("tirreno").types.values()
