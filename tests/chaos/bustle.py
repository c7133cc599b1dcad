"""People at work over HTTP while things break."""

from __future__ import annotations

import contextlib
import json
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta

from config.evening.client import Json, Market, Person, Refused, at_once
from tests.live import LiveMuster

PAY = {"amount": "20", "currency": "EUR", "period": "HOUR"}
PATIENCE_SECONDS = 4.0  # how long an offer stands that nobody answers
# What may befall a person of the demo market in the middle of all this, whose own facts decide.
NOT_FOR_THEM = {"HOURS_EXCEEDED", "ORGANISATION_BLOCKED", "NOT_CONSIDERED", "NOT_ELIGIBLE"}

ORGANISATION = "query { viewer { memberships { organisation { id } } } }"


class Bustle:
    """A recruiter with one opportunity, and candidates who apply, are offered a seat, and answer or don't.

    `done` counts what the API said was done: exactly that must be found in the database.
    """

    def __init__(self, live: LiveMuster, market: Market, recruiter: Person, candidates: list[Person]) -> None:
        self.live, self.market, self.recruiter, self.candidates = live, market, recruiter, candidates
        self.organisation = market.ask(recruiter, ORGANISATION)["viewer"]["memberships"][0]["organisation"]["id"]
        self.done: Counter[str] = Counter()
        self.opportunity: Json = {}
        self._lock = threading.Lock()

    def open_another(self, *, seats: int) -> None:
        """Publish an opportunity that is open to everybody, and start new books."""
        draft = self._must(
            self.market.act(
                self.recruiter,
                "draftOpportunity",
                "... on Opportunity { id reference }",
                organisationId=self.organisation,
                title="Holding the fort",
                description="While everything around you breaks.",
                commitment="PART_TIME",
                arrangement="REMOTE",
                weeklyHours=1,
                seats=seats,
                payBands=[{"minimum": "18", "maximum": "32", "currency": "EUR", "period": "HOUR", "places": []}],
            )
        )
        self._must(
            self.market.act(
                self.recruiter, "publishOpportunity", "... on Opportunity { id }", opportunityId=draft["id"]
            )
        )
        self.opportunity = draft
        self.done = Counter()
        self.market.seconds.clear()

    def play(self, people: int, incidents: Mapping[int, Callable[[], object]] | None = None) -> None:
        """Let so many people act, six at a time; incident n happens when n of them are through, amid the others."""
        waiting = dict(incidents or {})
        through = 0

        def tick() -> None:
            nonlocal through
            with self._lock:
                through += 1
                happens = waiting.pop(through, None)
            if happens:
                happens()

        at_once(lambda job: self._live_through(*job), list(enumerate(self.candidates[:people])), tick)
        assert not waiting, "people were through before everything had happened"

    def apply(self, people: int) -> None:
        at_once(self._apply, self.candidates[:people], lambda: None)

    def _live_through(self, number: int, person: Person) -> None:
        application = self._apply(person)
        if application is None:
            return
        forgetful = number % 5 == 4
        until = {"expiresAt": (datetime.now(UTC) + timedelta(seconds=PATIENCE_SECONDS)).isoformat()}
        offer = self._count(
            "offered",
            self.market.act(
                self.recruiter,
                "sendOffer",
                "... on Offer { id }",
                applicationId=application["id"],
                pay=PAY,
                **(until if forgetful else {}),
            ),
        )
        if offer is None:
            return
        if forgetful:
            self._count("forgotten", offer)
        elif number % 5 == 3:
            answer = self.market.act(person, "declineOffer", "... on Offer { id }", offerId=offer["id"])
            self._count("declined", answer)
        else:
            answer = self.market.act(
                person, "acceptOffer", "... on Offer { id }", offerId=offer["id"], idempotencyKey=offer["id"]
            )
            self._count("accepted", answer)

    def _apply(self, person: Person) -> Json | None:
        applied = self.market.act(person, "apply", "... on Application { id }", opportunityId=self.opportunity["id"])
        return self._count("applied", applied)

    def _count(self, what: str, answer: Json | Refused) -> Json | None:
        if isinstance(answer, Refused):
            assert answer.code in NOT_FOR_THEM, answer
            return None
        with self._lock:
            self.done[what] += 1
        return answer

    @staticmethod
    def _must(answer: Json | Refused) -> Json:
        assert not isinstance(answer, Refused), answer
        return answer


@contextlib.contextmanager
def gather(live: LiveMuster) -> Iterator[Bustle]:
    """The demo market's first recruiter and all its candidates."""
    cast = json.loads(live.manage("demo_cast"))
    recruiter = cast["recruiters"][0]
    with Market(live.graphql) as market:
        candidates = [Person(one["email"], one["token"]) for one in cast["candidates"]]
        yield Bustle(live, market, Person(recruiter["email"], recruiter["token"]), candidates)
