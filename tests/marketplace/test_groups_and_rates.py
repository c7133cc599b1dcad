"""Organisations' lists of people; exchange rates."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from accounts.errors import InvalidInput, NotFound, NotPermitted
from accounts.models import Event
from marketplace.actions.groups import add_to_group, create_group, remove_from_group, standard_group
from marketplace.actions.rates import publish_rates
from marketplace.errors import GroupNameTaken
from marketplace.models import ExchangeRate, ExchangeRateSet
from tests.marketplace.factories import (
    NOW,
    a_candidate,
    a_recruiter,
    a_staff_actor,
    an_organisation,
    everything,
)

pytestmark = pytest.mark.django_db


def test_an_organisation_has_one_list_of_each_standard_kind() -> None:
    works = an_organisation()
    ask = {"actor": works.actor, "organisation_id": works.organisation.public_id}

    assert standard_group(kind="favourites", **ask) == standard_group(kind="favourites", **ask)
    with pytest.raises(InvalidInput):
        standard_group(kind="custom", **ask)
    create_group(name="Night shift", **ask)
    with pytest.raises(GroupNameTaken):
        create_group(name="Night shift", **ask)
    with pytest.raises(InvalidInput):
        create_group(name="Favourites", **ask)


def test_people_join_and_leave_a_list() -> None:
    works, candidate = an_organisation(), a_candidate()
    group = create_group(actor=works.actor, organisation_id=works.organisation.public_id, name="Night shift")
    ids: dict[str, Any] = {"group_id": group.public_id, "candidate_id": candidate.public_id, "now": NOW}

    with pytest.raises(NotFound):
        add_to_group(actor=a_recruiter().actor, **ids)
    with pytest.raises(NotPermitted):
        add_to_group(actor=a_recruiter(works, role="observer").actor, **ids)
    add_to_group(actor=works.actor, **ids)
    assert list(group.candidates.all()) == [candidate]
    remove_from_group(actor=works.actor, **ids)
    with pytest.raises(NotFound):
        remove_from_group(actor=works.actor, **ids)
    assert Event.objects.filter(name="CandidateUpdated").count() == 2


@pytest.mark.parametrize(
    ("rates", "field"),
    [
        ({}, "rates"),
        ({"ZZZ": Decimal(1)}, "rates.ZZZ"),
        ({"usd": Decimal(1)}, "rates.usd"),
        ({"EUR": Decimal(1)}, "rates.EUR"),
        ({"USD": Decimal(0)}, "rates.USD"),
        ({"USD": Decimal(-1)}, "rates.USD"),
        ({"USD": Decimal("NaN")}, "rates.USD"),
        ({"USD": Decimal("1.123456789")}, "rates.USD"),
    ],
)
def test_rates_that_cannot_be_are_refused(rates: dict[str, Decimal], field: str) -> None:
    before = everything((ExchangeRateSet, ExchangeRate, Event))
    with pytest.raises(InvalidInput) as refusal:
        publish_rates(actor=a_staff_actor(), on=NOW.date(), source="ECB", rates=rates, now=NOW)
    assert refusal.value.data["field"] == field
    assert everything((ExchangeRateSet, ExchangeRate, Event)) == before


def test_staff_alone_publish_rates() -> None:
    given: dict[str, Any] = {"on": NOW.date(), "source": "ECB", "rates": {"USD": Decimal("1.1")}, "now": NOW}
    with pytest.raises(NotPermitted):
        publish_rates(actor=an_organisation().actor, **given)
    rate_set = publish_rates(actor=a_staff_actor(), **given)
    assert dict(rate_set.rates.values_list("currency", "per_euro")) == {"USD": Decimal("1.1")}
    assert Event.objects.filter(name="RatesPublished").exists()
