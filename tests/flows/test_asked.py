"""Who answers a challenge, as the shop sees them."""

import pytest

from shopward.errors import InvalidField
from shopward.events.catalogue import Context, User
from shopward.flows.asked import Who


@pytest.mark.parametrize("country", ["Indonesia", "id", "I1"])
def test_a_country_that_no_event_could_have_is_refused_of_who_answers(country: str) -> None:
    """What Shopward records of an answer keeps to the form that an event of the shop keeps to."""
    with pytest.raises(InvalidField, match=r"context\.country|wrong type"):
        Who(User(id="u-1"), Context(country=country))


def test_who_answers_may_leave_the_country_out_or_name_it() -> None:
    """No country and one of two letters are both taken."""
    assert Who(User(id="u-1"), Context()).context == Context()
    assert Who(User(id="u-1"), Context(country="ID")).context == Context(country="ID")
