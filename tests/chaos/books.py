"""The books that must balance once things work again: nothing lost, nothing twice."""

from __future__ import annotations

import re
from collections import Counter
from itertools import chain

from tests.chaos.bustle import Bustle
from tests.live import LiveMuster, eventually

OPPORTUNITY = "SELECT id FROM marketplace_opportunity WHERE reference = %s"
OFFERS = f"SELECT state, count(*) FROM marketplace_offer WHERE opportunity_id = ({OPPORTUNITY}) GROUP BY state"
APPLICATIONS = f"SELECT count(*) FROM marketplace_application WHERE opportunity_id = ({OPPORTUNITY})"
RECRUITERS = f"""
    SELECT count(*) FROM accounts_membership m JOIN marketplace_opportunity o
    ON o.posting_organisation_id = m.organisation_id
    WHERE o.id = ({OPPORTUNITY}) AND m.role IN ('owner', 'recruiter')
"""
TOLD = f"""
    SELECT e.name, count(DISTINCT e.id), count(n.id)
    FROM accounts_event e LEFT JOIN marketplace_notification n ON n.event_id = e.id
    WHERE (e.aggregate_type = 'application' AND e.aggregate_id IN
              (SELECT id FROM marketplace_application WHERE opportunity_id = ({OPPORTUNITY})))
       OR (e.aggregate_type = 'offer' AND e.aggregate_id IN
              (SELECT id FROM marketplace_offer WHERE opportunity_id = ({OPPORTUNITY})))
    GROUP BY e.name
"""


POOL = 2  # processes of the worker


def assert_settled(live: LiveMuster, bustle: Bustle, *, crashes: int = 0, seconds: float = 90) -> None:
    """All that the API promised has happened, once.

    `crashes` of a worker may each have cut short as many mails as it had pool processes: those may go out twice, under
    one Message-ID.
    """

    def expired() -> int:
        return offers_by_state(live, bustle)["expired"]

    def supervised(is_so: bool) -> bool:
        live.processes.check()  # a worker that ended with its broker is started again
        return is_so

    assert eventually(lambda: supervised(expired() == bustle.done["forgotten"]), seconds=seconds), (
        expired(),
        bustle.done,
    )
    found = live.audit(wait=seconds)
    assert found["violations"] == []
    marks = "SELECT (SELECT count(*) FROM matching_mark) + (SELECT count(*) FROM matching_pairmark)"
    assert eventually(lambda: supervised(live.one(marks) == 0), seconds=seconds), f"{live.one(marks)} marks are left"
    assert live.one("SELECT count(*) FROM accounts_delivery WHERE attempts <> 1") == 0
    assert (
        live.one("SELECT count(*) FROM accounts_timer WHERE fired_at IS NULL AND due_at < now() - '20 s'::interval")
        == 0
    )
    _assert_found_what_was_done(live, bustle)
    _assert_told_once(live, bustle)
    _assert_mailed(live, crashes + POOL * live.processes.restarts, seconds)


def offers_by_state(live: LiveMuster, bustle: Bustle) -> Counter[str]:
    return Counter(dict(live.rows(OFFERS, bustle.opportunity["reference"])))


def _assert_found_what_was_done(live: LiveMuster, bustle: Bustle) -> None:
    done, offers = bustle.done, offers_by_state(live, bustle)
    assert live.one(APPLICATIONS, bustle.opportunity["reference"]) == done["applied"]
    assert offers.total() == done["offered"]
    for state, what in (("accepted", "accepted"), ("declined", "declined"), ("expired", "forgotten")):
        assert offers[state] == done[what], (state, offers, done)


def _assert_told_once(live: LiveMuster, bustle: Bustle) -> None:
    """As many notifications as the same events make when nothing breaks: each recruiter, the candidate, or both."""
    reference = bustle.opportunity["reference"]
    recruiters = live.one(RECRUITERS, reference)
    audience = {
        "ApplicationSubmitted": recruiters,
        "OfferSent": 1,
        "OfferAccepted": recruiters,
        "OfferDeclined": recruiters,
        "OfferExpired": recruiters + 1,
    }
    told = {name: (events, told) for name, events, told in live.rows(TOLD, reference, reference)}
    for name, what in (
        ("ApplicationSubmitted", "applied"),
        ("OfferSent", "offered"),
        ("OfferAccepted", "accepted"),
        ("OfferDeclined", "declined"),
        ("OfferExpired", "forgotten"),
    ):
        number = bustle.done[what]
        assert told.get(name, (0, 0)) == (number, number * audience[name]), name


def _assert_mailed(live: LiveMuster, crashes: int, seconds: float) -> None:
    waiting = "SELECT count(*) FROM marketplace_notification WHERE mail_state <> 'sent'"
    assert eventually(lambda: live.one(waiting) == 0, seconds=seconds), f"{live.one(waiting)} mails are left"
    wanted = {f"<notification-{key}@muster>" for (key,) in live.rows("SELECT public_id FROM marketplace_notification")}
    texts = (path.read_text(errors="replace") for path in live.mail_folder.glob("*.log"))
    sent = Counter(chain.from_iterable(re.findall(r"^Message-ID: (<notification-.*>)$", text, re.M) for text in texts))
    assert sent.keys() == wanted
    assert sent.total() - len(sent) <= crashes, [key for key, times in sent.items() if times > 1]
