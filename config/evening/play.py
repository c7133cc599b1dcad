"""The evening's acts, in order."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from config.evening import demand, supply
from config.evening.cast import Cast, share
from config.evening.client import EveningFailed, Json, Market, Person, Refused, at_once
from config.evening.story import Story

APPLICANTS = 250
BRIEFLY_SECONDS = 4
POLICY = {"quality": 600, "fill": 300, "speed": 100}

ORGANISATIONS = "query { viewer { memberships { organisation { id name } role } } }"
FRESHNESS = "query { scoringFreshness { waiting oldestSeconds } }"
INVITED = """query Invited($after: String) {
  invitations(states: [SENT], first: 100, after: $after) {
    nodes { candidate { email } } pageInfo { hasNextPage endCursor }
  }
}"""
OFFERED = """query Offered($after: String) {
  offers(states: [SENT], first: 100, after: $after) {
    nodes { id candidate { email } } pageInfo { hasNextPage endCursor }
  }
}"""
EXPIRED = "query Expired { offers(states: [EXPIRED], first: 1) { totalCount } }"
RUN = """query Run($id: ID!) {
  allocationRun(id: $id) {
    id state seats proposed sent dropped value bound gap
    certificate { valid gap problems }
    proposals(first: 5) { nodes { id } }
    diagnosis { empty cause sentence opportunity { title reference } }
  }
}"""

Tick = Callable[[], object]


class Evening:
    """One evening: the market, its people, and what came of it."""

    def __init__(self, market: Market, cast: Cast, story: Story, progress: Progress, seed: int) -> None:
        self.market, self.cast, self.story, self.progress, self.seed = market, cast, story, progress, seed
        self.people = {person.email: person for person in cast.candidates}

    def play(self) -> None:
        with self._act("Recruiters publish opportunities") as tick:
            at_once(lambda recruiter: self._publish(recruiter, tick), self.cast.recruiters, tick)
        with self._act("Newcomers sign up and register") as tick:
            self._newcomers(tick)
        with self._act("The worker scores everybody") as tick:
            self._wait_for_scores(tick)
        with self._act("Candidates apply to what suits them") as tick:
            self._apply(tick)
        with self._act("Recruiters invite the best who did not") as tick:
            at_once(lambda recruiter: self._invite(recruiter, tick), self.cast.recruiters, tick)
        with self._act("The invited answer") as tick:
            self._answer_invitations(tick)
        with self._act("Recruiters go through their pipelines") as tick:
            at_once(lambda recruiter: self._sort(recruiter, tick), self.cast.recruiters, tick)
        with self._act("An open call: first come, first served") as tick:
            self._open_call(tick)
        with self._act("Some offers wait too long") as tick:
            self._let_offers_expire(tick)
        with self._act("An allocation is planned, looked at and committed") as tick:
            self._allocate(tick)
        with self._act("Offers are answered") as tick:
            self._answer_offers(tick)
        with self._act("Seats that came free are offered again") as tick:
            self._allocate(tick)
            self._answer_offers(tick, eager=True)
        with self._act("People start") as tick:
            at_once(
                lambda one: demand.start_people(self.market, self.story, one, self.seed, tick),
                self.cast.recruiters,
                tick,
            )
        with self._act("The worker finishes what is left") as tick:
            self._wait_for_scores(tick)

    @contextmanager
    def _act(self, title: str) -> Iterator[Tick]:
        task = self.progress.add_task(title, total=None)
        started = time.monotonic()
        done = 0

        def tick(steps: int = 1) -> None:
            nonlocal done
            done += steps
            self.progress.update(task, advance=steps)

        yield tick
        self.progress.update(task, total=done, completed=done)
        if not self.progress.console.is_terminal:  # bars are for people; a log gets a line for each act
            print(f"  {title:<50} {done:>4} steps {time.monotonic() - started:>5.0f} s", flush=True)

    def _publish(self, recruiter: Person, tick: Tick) -> None:
        for draft in demand.drafts_of(self.market, recruiter):
            demand.publish(self.market, self.story, recruiter, draft)
            tick()

    def _newcomers(self, tick: Tick) -> None:
        first = self.cast.recruiters[self.seed % len(self.cast.recruiters)]
        skills = supply.some_skills(self.market, first, "service", "quality", "data", "customer", "team")
        if not skills:
            raise EveningFailed("the taxonomy has none of the skills that newcomers have")

        def register(name: str) -> Person:
            return supply.register(self.market, self.story, name, skills, self.seed)

        for person in at_once(register, supply.NEWCOMERS, tick):
            self.people[person.email] = person
        memberships = self.market.ask(first, ORGANISATIONS)["viewer"]["memberships"]
        organisation = memberships[0]["organisation"]["id"]
        demand.draft_another(self.market, self.story, first, organisation, skills[:3])
        tick()

    def _wait_for_scores(self, tick: Tick) -> None:
        def fresh() -> bool:
            return self.market.ask(self.cast.staff, FRESHNESS)["scoringFreshness"]["waiting"] == 0

        if not demand.wait(fresh, seconds=120, tick=tick):
            raise EveningFailed("the worker did not finish scoring within two minutes")

    def _apply(self, tick: Tick) -> None:
        open_ids = [o["id"] for o in demand.all_nodes(self.market, self.cast.staff, supply.OPEN, "opportunities")]
        newcomers = [person for person in self.people.values() if person.email.endswith("@newcomers.example")]
        part = min(1.0, APPLICANTS / max(1, len(self.cast.candidates)))
        applicants = [*share(self.cast.candidates, part, random.Random(self.seed)), *newcomers]
        at_once(
            lambda person: supply.apply_somewhere(self.market, self.story, person, open_ids, self.seed),
            applicants,
            tick,
        )

    def _invite(self, recruiter: Person, tick: Tick) -> None:
        for opportunity in demand.ours(self.market, recruiter):
            if opportunity["seats"]["open"]:
                demand.invite_best(self.market, self.story, recruiter, opportunity, how_many=2)
            tick()

    def _answer_invitations(self, tick: Tick) -> None:
        invited = self._who(INVITED, "invitations")
        at_once(lambda person: supply.answer_invitations(self.market, self.story, person, self.seed), invited, tick)

    def _who(self, document: str, field: str) -> list[Person]:
        """The people whom a list is about, as staff see them, as far as they are among those who play."""
        nodes = demand.all_nodes(self.market, self.cast.staff, document, field)
        emails = dict.fromkeys(node["candidate"]["email"] for node in nodes)
        return [self.people[email] for email in emails if email in self.people]

    def _sort(self, recruiter: Person, tick: Tick) -> None:
        for opportunity in demand.ours(self.market, recruiter):
            demand.sort_applications(self.market, self.story, recruiter, opportunity, self.seed)
            tick()

    def _crowded(self) -> Iterator[tuple[Person, Json]]:
        """Opportunities with open seats, and their recruiters, one for each organisation."""
        for recruiter in self.cast.recruiters:
            for opportunity in demand.ours(self.market, recruiter):
                if opportunity["seats"]["open"]:
                    yield recruiter, opportunity
                    break

    def _open_call(self, tick: Tick) -> None:
        for recruiter, opportunity in list(self._crowded())[:2]:
            demand.open_call(self.market, self.story, recruiter, opportunity)
            tick()
        called = self._who(OFFERED, "offers")
        at_once(
            lambda person: supply.answer_offers(self.market, self.story, person, self.seed, eager=True), called, tick
        )

    def _let_offers_expire(self, tick: Tick) -> None:
        before, expired_before = self.story.counts["brief_offers"], self._expired()
        for recruiter, opportunity in list(self._crowded())[2:5]:
            demand.offer_briefly(self.market, self.story, recruiter, opportunity, BRIEFLY_SECONDS)
            tick()
        waiting = self.story.counts["brief_offers"] - before

        def all_expired() -> bool:
            return self._expired() - expired_before >= waiting

        if not demand.wait(all_expired, seconds=40, tick=tick):
            raise EveningFailed("offers that nobody answered did not expire")
        self.story.count("expired", waiting)

    def _expired(self) -> int:
        return int(self.market.ask(self.cast.staff, EXPIRED)["offers"]["totalCount"])

    def _allocate(self, tick: Tick) -> None:
        staff = self.cast.staff
        answer = self.market.act(staff, "planAllocation", "... on AllocationRun { id }", policy=POLICY)
        if isinstance(answer, Refused):
            self.story.surprised(answer)
            return
        planned: Json = {}

        def solved() -> bool:
            planned.update(self.market.ask(staff, RUN, id=answer["id"])["allocationRun"])
            return planned["state"] not in {"QUEUED", "SOLVING"}

        if not demand.wait(solved, seconds=90, tick=tick) or planned["state"] != "PLANNED":
            raise EveningFailed(f"the allocation is {planned.get('state')} and not planned")
        if not planned["certificate"]["valid"]:
            raise EveningFailed(f"the allocation's certificate is not valid: {planned['certificate']['problems']}")
        proposals = planned["proposals"]["nodes"]
        if len(proposals) > 1:
            for mutation, proposal in (("pinProposal", proposals[0]), ("excludeProposal", proposals[-1])):
                settled = self.market.act(staff, mutation, "... on Proposal { state }", proposalId=proposal["id"])
                self.story.expect(settled, "settled")
        committed = self.market.act(
            staff,
            "commitAllocation",
            "... on AllocationRun { state sent dropped }",
            runId=planned["id"],
            idempotencyKey=f"commit-{planned['id']}",
        )
        if self.story.expect(committed, "committed") and isinstance(committed, dict):
            planned.update(committed)
        self.story.runs.append(planned)

    def _answer_offers(self, tick: Tick, *, eager: bool = False) -> None:
        at_once(
            lambda person: supply.answer_offers(self.market, self.story, person, self.seed, eager=eager),
            self._who(OFFERED, "offers"),
            tick,
        )


def bars(console: Console) -> Progress:
    columns = (TextColumn("  {task.description:<50}"), BarColumn(24), MofNCompleteColumn(), TimeElapsedColumn())
    return Progress(*columns, console=console, disable=not console.is_terminal)
