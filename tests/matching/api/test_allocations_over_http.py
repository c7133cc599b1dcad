"""Planning allocations over HTTP: what is asked of a run, what is shown of it, and to whom."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.utils import timezone

from marketplace.core.money import Pay
from marketplace.models import Candidate
from matching.actions.allocation import solve_run
from matching.core.allocation import Problem, Solution, verify
from matching.core.allocation.problem import canonical_json
from matching.models import AllocationRun
from tests.config.graphql_client import Asker, global_id
from tests.marketplace.factories import Recruiter, a_recruiter, a_skill, a_user, an_application, an_organisation
from tests.matching.staging import asking_for, skilled, work

pytestmark = pytest.mark.django_db

WHO = "{ id displayName name email phone linkedin resumeText contactsOpen }"
POLICY = """policy { quality fill speed minFitPpm offersAtOnce urgentDays mechanism proposing
    mostPerOrganisation seconds
    limits { organisation { name } seats } shares { opportunity { title } seats ruleText } }"""
LOST = f"""bestAlternative {{ sentence runnerUp {{ less loss candidate {WHO} placedAt {{ title }} }}
    elsewhere {{ less opportunity {{ title }} }} }}"""
PREVIEW = f"""{POLICY}
    pareto {{ points {{ quality fill speed chosen seats placements fit promptness }} chosen {{ quality seats }} }}
    blockingPairs(first: 5) {{ count pairs {{ opportunity {{ title }} candidate {WHO} }} }}
    diagnosis {{ cause sentence minimal limited {{ name }} criterion {{ sentence gain }}
        loosened {{ of by people value sentence }} }}
    proposals(first: 10) {{ nodes {{ value candidate {WHO} {LOST} }} }}"""
PROOF = "verified proof certificate { valid bound gap relaxation scale solver work stopped problems }"
RUN = f"query ($id: ID!) {{ allocationRun(id: $id) {{ {PREVIEW} {PROOF} }} }}"
RUNS = f"{{ allocationRuns(first: 20) {{ totalCount nodes {{ id {PREVIEW} }} }} }}".replace("first: 10", "first: 3")


def planned(by: Recruiter, **policy: Any) -> str:
    """The id of a run that has been solved."""
    work(timezone.now())
    given = {"quality": 600, "fill": 300, "speed": 100, **policy}
    asked = {"organisationId": global_id(by.organisation), "policy": given}
    run: str = Asker(by.user).do("planAllocation", asked, "id", thing="AllocationRun")["id"]
    newest = AllocationRun.objects.order_by("-pk").first()
    assert newest is not None
    solve_run(newest.pk, timezone.now())
    return run


def a_market() -> tuple[Recruiter, Any]:
    owner, skill = an_organisation(now=timezone.now()), a_skill("welding")
    asking_for(skill, owner, seats=2, title="Frames", now=timezone.now())
    asking_for(skill, owner, seats=3, title="Hulls", rule={"rateWithinPay": True}, now=timezone.now())
    return owner, skill


def test_a_policy_is_taken_whole_and_shown_whole() -> None:
    owner, skill = a_market()
    frames = owner.organisation.opportunities.get(title="Frames")
    skilled(skill, 4, now=timezone.now())
    run = planned(
        owner,
        minFitPpm=5,
        offersAtOnce=2,
        urgentDays=7,
        mechanism="OPTIMAL",
        mostPerOrganisation=4,
        limits=[{"organisationId": global_id(owner.organisation), "seats": 2}],
        shares=[
            {
                "opportunityId": global_id(frames),
                "seats": 1,
                "rule": {"attribute": {"name": "country", "op": "EQ", "value": "DE"}},
            }
        ],
        seconds=20,
    )
    shown = Asker(owner.user).ask(RUN, id=run)["allocationRun"]["policy"]
    assert (shown["minFitPpm"], shown["offersAtOnce"], shown["urgentDays"], shown["seconds"]) == (5, 2, 7, 20)
    assert (shown["mechanism"], shown["proposing"], shown["mostPerOrganisation"]) == ("OPTIMAL", "CANDIDATES", 4)
    assert shown["limits"] == [{"organisation": {"name": owner.organisation.name}, "seats": 2}]
    [share] = shown["shares"]
    assert (share["opportunity"], share["seats"]) == ({"title": "Frames"}, 1)
    assert "Germany" in share["ruleText"]


@pytest.mark.parametrize(
    ("policy", "code"),
    [
        ({"quality": 999}, "INVALID_INPUT"),
        ({"minFitPpm": -1}, "INVALID_INPUT"),
        ({"offersAtOnce": 0}, "INVALID_INPUT"),
        ({"mechanism": "STABLE", "mostPerOrganisation": 1}, "INVALID_INPUT"),
        ({"limits": [{"organisationId": "T3JnYW5pc2F0aW9uOjE=", "seats": 1}]}, "INVALID_INPUT"),
    ],
)
def test_a_policy_that_cannot_be_kept_to_is_refused(policy: dict[str, Any], code: str) -> None:
    owner, _ = a_market()
    given = {"quality": 600, "fill": 300, "speed": 100, **policy}
    asked = {"organisationId": global_id(owner.organisation), "policy": given}
    assert Asker(owner.user).do("planAllocation", asked)["code"] == code
    assert not AllocationRun.objects.exists()


def test_a_plan_shows_its_proof_its_curve_what_it_won_against_and_why_seats_stay_empty() -> None:
    owner, skill = a_market()
    for rate in (20, 45, 50):
        skilled(skill, 4, rate=Pay(rate, "EUR", "hour"), now=timezone.now())
    run = Asker(owner.user).ask(RUN, id=planned(owner))["allocationRun"]
    assert run["verified"] is True
    assert (run["certificate"]["relaxation"], run["certificate"]["stopped"]) == ("assignment", False)
    assert run["pareto"]["chosen"]["quality"] == 600
    assert len(run["pareto"]["points"]) >= 6
    assert all(0 <= point["fit"] <= 1 for point in run["pareto"]["points"])
    assert run["blockingPairs"]["count"] >= len(run["blockingPairs"]["pairs"])
    causes = {one["cause"]: one for one in run["diagnosis"]}
    assert any(one["of"] == "PAY" for cause in causes.values() for one in cause["loosened"])
    assert all(node["bestAlternative"]["sentence"] for node in run["proposals"]["nodes"])


def test_a_client_verifies_a_plan_by_what_is_handed_out() -> None:
    owner, skill = a_market()
    people = [skilled(skill, 1 + number % 5, name=f"Secret {number}", now=timezone.now()) for number in range(6)]
    for policy in ({}, {"mostPerOrganisation": 3}, {"mechanism": "STABLE"}):
        proof = Asker(owner.user).ask(RUN, id=planned(owner, **policy))["allocationRun"]["proof"]
        problem = Problem.from_json(canonical_json(proof["problem"]))
        certificate = verify(problem, Solution.from_json(canonical_json(proof["solution"])))
        assert certificate.valid, certificate.problems
        assert len(proof["opportunities"]) == len(problem.opportunities)
        assert all(proof["opportunities"])
        assert "Secret" not in json.dumps(proof)
        assert not any(global_id(person) in json.dumps(proof) for person in people)


def test_an_allocation_opens_nobodys_personal_data() -> None:
    owner, skill = a_market()
    contacts = {"phone": "+49 30 1234567", "linkedin": "https://www.linkedin.com/in/zaphod"}
    for number in range(6):
        skilled(skill, 1 + number % 5, name=f"Zaphod {number}", **contacts, now=timezone.now())
    for candidate in Candidate.objects.all():
        candidate.resume_text, candidate.email = "Resume of Zaphod", "zaphod@example.org"
        candidate.save()
    run = planned(owner)
    for who in (owner.user, a_recruiter(owner, role="observer").user):
        shown = Asker(who).ask(RUN, id=run)["allocationRun"]
        assert shown["proposals"]["nodes"]
        told = json.dumps(shown)
        for secret in ("Zaphod", "1234567", "linkedin.com", "zaphod@example.org"):
            assert secret not in told
        assert all(node["candidate"]["contactsOpen"] is False for node in shown["proposals"]["nodes"])
    proposal = AllocationRun.objects.get().proposals.first()
    assert proposal is not None
    an_application(proposal.opportunity, proposal.candidate, now=timezone.now())
    shown = Asker(owner.user).ask(RUN, id=run)["allocationRun"]["proposals"]["nodes"]
    opened = [node["candidate"]["name"] for node in shown if node["candidate"]["contactsOpen"]]
    assert opened == [proposal.candidate.name]


@pytest.mark.parametrize("who", ["anonymous", "stranger", "rival"])
def test_a_plan_is_the_organisations_own(who: str) -> None:
    owner, skill = a_market()
    skilled(skill, now=timezone.now())
    run = planned(owner)
    asker = {
        "anonymous": Asker,
        "stranger": lambda: Asker(a_user()),
        "rival": lambda: Asker(an_organisation().user),
    }[who]()
    assert asker.ask(RUN, id=run)["allocationRun"] is None
    assert Asker(a_user(is_staff=True)).ask(RUN, id=run)["allocationRun"]["verified"] is True


def test_previews_take_as_many_statements_for_several_runs_as_for_one() -> None:
    owner, skill = a_market()
    for number in range(3):
        skilled(skill, 1 + number, now=timezone.now())
    planned(owner, mostPerOrganisation=2)
    recruiter = Asker(owner.user)
    recruiter.ask(RUNS)
    one = recruiter.statements(RUNS)
    for _ in range(4):
        planned(owner, mostPerOrganisation=2)
    assert recruiter.ask(RUNS)["allocationRuns"]["totalCount"] == 5
    assert recruiter.statements(RUNS) == one
