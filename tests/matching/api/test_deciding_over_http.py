"""Matches, recommendations, previews and allocations over HTTP."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from marketplace.models import Candidate, CandidateSkill, Offer
from matching.actions.allocation import solve_run
from matching.models import AllocationRun, Match
from tests.config.graphql_client import Asker, global_id
from tests.marketplace.factories import a_candidate, a_skill, a_user, an_application, an_organisation
from tests.matching.staging import asking_for, skilled, work

pytestmark = pytest.mark.django_db

MOST_STATEMENTS = 47  # of a page of matches with everything that it can tell, and of what is logged of it

SCORE = "{ score probability contributions { feature value weight amount sentence } }"
MATCH = (
    f"id outcome probability modelVersion fit {SCORE} interest {SCORE} acceptance {{ score }}"
    " candidate { displayName name } opportunity { title reference } revision { number ruleText } rateSet { on }"
    " verdict { outcome reasons { sentence } questions { sentence } }"
)
MATCHES = f"""query ($id: ID!) {{ matches(opportunity: $id, first: 50) {{
    totalCount edges {{ cursor node {{ {MATCH} }} }} }} }}"""
RECOMMENDATIONS = f"{{ recommendations(first: 50) {{ totalCount nodes {{ {MATCH} }} }} }}"
RUN = f"""id state seats proposed value bound gap policy {{ quality fill speed }} modelVersion opportunities {{ title }}
    certificate {{ feasible valid bound gap problems }} prices {{ price opportunity {{ reference }} }}
    diagnosis {{ sentence cause empty competing {{ title }} criterion {{ sentence }} }}
    proposals(first: 10) {{ totalCount nodes {{ id state value fit {SCORE} acceptance
        candidate {{ displayName }} opportunity {{ title }} }} }}
    history {{ action }}"""
RUNS = "{{ allocationRuns(first: 50) {{ totalCount nodes {{ {} }} }} }}".format(
    RUN.replace("certificate { feasible valid bound gap problems }", "")
)


def test_matches_add_up_and_say_why() -> None:
    owner, skill = an_organisation(now=timezone.now()), a_skill("welding")
    opportunity = asking_for(skill, owner, now=timezone.now())
    person = skilled(skill, now=timezone.now())
    work(timezone.now())
    [edge] = Asker(owner.user).ask(MATCHES, id=global_id(opportunity))["matches"]["edges"]
    match = edge["node"]
    assert match["candidate"]["name"] is None
    assert match["candidate"]["displayName"].startswith("Candidate ")
    for head in ("fit", "interest"):
        assert match[head]["score"] == sum(one["amount"] for one in match[head]["contributions"])
        assert all(one["sentence"] for one in match[head]["contributions"])
    an_application(opportunity, person, now=timezone.now())
    [edge] = Asker(owner.user).ask(MATCHES, id=global_id(opportunity))["matches"]["edges"]
    assert edge["node"]["candidate"]["name"] == person.name


@pytest.mark.parametrize("who", ["anonymous", "stranger", "rival"])
def test_matches_are_the_organisations_own(who: str) -> None:
    opportunity = asking_for(a_skill(), now=timezone.now())
    asker = {
        "anonymous": Asker,
        "stranger": lambda: Asker(a_candidate()),
        "rival": lambda: Asker(an_organisation().user),
    }[who]()
    assert asker.refusal(MATCHES, id=global_id(opportunity))["code"] == "NOT_PERMITTED"


def test_lists_of_deciding_take_as_many_statements_for_six_rows_as_for_one() -> None:
    owner, skill = an_organisation(now=timezone.now()), a_skill()
    opportunity = asking_for(skill, owner, now=timezone.now())
    person = skilled(skill, now=timezone.now())
    work(timezone.now())
    recruiter, candidate = Asker(owner.user), Asker(person)
    lists: list[tuple[Asker, str, dict[str, Any], str]] = [
        (recruiter, MATCHES, {"id": global_id(opportunity)}, "matches"),
        (candidate, RECOMMENDATIONS, {}, "recommendations"),
    ]
    for asker, query, variables, _ in lists:
        asker.ask(query, **variables)
    one = [asker.statements(query, **variables) for asker, query, variables, _ in lists]
    for _ in range(5):
        asking_for(skill, owner, now=timezone.now())
        skilled(skill, now=timezone.now())
    work(timezone.now())
    for asker, query, variables, name in lists:
        assert asker.ask(query, **variables)[name]["totalCount"] == 6
    assert [asker.statements(query, **variables) for asker, query, variables, _ in lists] == one


def test_a_page_of_matches_reads_the_people_whom_it_shows_once() -> None:
    owner, skill = an_organisation(now=timezone.now()), a_skill()
    opportunity = asking_for(skill, owner, now=timezone.now())
    for _ in range(3):
        skilled(skill, now=timezone.now())
    work(timezone.now())
    recruiter = Asker(owner.user)
    recruiter.ask(MATCHES, id=global_id(opportunity))  # whatever is read once a process
    with CaptureQueriesContext(connection) as captured:
        assert recruiter.ask(MATCHES, id=global_id(opportunity))["matches"]["totalCount"] == 3
    of_facts = [one["sql"] for one in captured if "marketplace_candidateskill" in one["sql"]]
    assert len(of_facts) == 1, "rechecked, and read again for its sentences or for the log"
    assert len(captured) <= MOST_STATEMENTS


def test_pages_of_matches_neither_skip_nor_repeat() -> None:
    owner, skill = an_organisation(now=timezone.now()), a_skill()
    opportunity = asking_for(skill, owner, now=timezone.now())
    for _ in range(5):
        skilled(skill, now=timezone.now())
    work(timezone.now())
    query = """query ($id: ID!, $after: String) { matches(opportunity: $id, first: 2, after: $after) {
        pageInfo { hasNextPage hasPreviousPage endCursor } nodes { id } } }"""
    seen: list[str] = []
    after = None
    while True:
        page = Asker(owner.user).ask(query, id=global_id(opportunity), after=after)["matches"]
        seen += [node["id"] for node in page["nodes"]]
        after = page["pageInfo"]["endCursor"]
        if not page["pageInfo"]["hasNextPage"]:
            break
    assert len(seen) == len(set(seen)) == 5


def test_matches_are_as_many_as_are_to_be_and_those_who_applied(settings) -> None:
    settings.MATCH_TOP_K = 5  # and one to spare
    owner, skill = an_organisation(now=timezone.now()), a_skill()
    opportunity = asking_for(skill, owner, level=5, now=timezone.now())
    everybody = [skilled(skill, 5, now=timezone.now()) for _ in range(8)]
    late = skilled(skill, 1, now=timezone.now())
    an_application(opportunity, late)
    work(timezone.now())
    assert Match.objects.filter(opportunity=opportunity).count() == 7
    query = """query ($id: ID!, $after: String) { matches(opportunity: $id, first: 4, after: $after) {
        totalCount pageInfo { hasNextPage endCursor } nodes { id fit { score } } } }"""
    recruiter = Asker(owner.user)
    first = recruiter.ask(query, id=global_id(opportunity))["matches"]
    second = recruiter.ask(query, id=global_id(opportunity), after=first["pageInfo"]["endCursor"])["matches"]
    shown = [*first["nodes"], *second["nodes"]]
    assert (first["totalCount"], first["pageInfo"]["hasNextPage"]) == (6, True)
    assert (second["totalCount"], second["pageInfo"]["hasNextPage"]) == (6, False)
    ranked = Match.objects.filter(opportunity=opportunity).order_by("-fit", "tie_break", "candidate_id")
    expected = [*ranked[:5], ranked.get(candidate=late)]
    assert [node["id"] for node in shown] == [global_id(match) for match in expected]
    left = next(one for one in everybody if one.pk == ranked[0].candidate_id)
    Candidate.objects.filter(pk=left.pk).update(discoverable=False)  # who is to spare moves up at once
    moved = recruiter.ask(query, id=global_id(opportunity))["matches"]
    assert moved["totalCount"] == 6


def test_matches_are_judged_by_what_people_are_when_they_are_read() -> None:
    now = timezone.now()
    owner, skill = an_organisation(now=now), a_skill()
    rule = {"all": [{"skill": skill.pk, "minLevel": 2}, {"attribute": "country", "op": "eq", "value": "DE"}]}
    opportunity = asking_for(skill, owner, rule=rule, now=now)
    stays, weaker, mover, silent = (skilled(skill, level, country="DE", now=now) for level in (3, 3, 3, 4))
    work(now)
    query = """query ($id: ID!, $first: Int, $after: String) { matches(opportunity: $id, first: $first, after: $after) {
        nodes { outcome candidate { id } verdict { outcome questions { subject } } } } }"""
    CandidateSkill.objects.filter(candidate=weaker).update(level=1)
    Candidate.objects.filter(pk=mover.pk).update(country="FR")
    Candidate.objects.filter(pk=silent.pk).update(country="")
    nodes = Asker(owner.user).ask(query, id=global_id(opportunity))["matches"]["nodes"]
    told = {node["candidate"]["id"]: node for node in nodes}
    assert told.keys() == {global_id(silent), global_id(stays)}
    for person, outcome, asked in ((stays, "ELIGIBLE", []), (silent, "UNKNOWN", [{"subject": "country"}])):
        node = told[global_id(person)]
        assert node["outcome"] == node["verdict"]["outcome"] == outcome
        assert node["verdict"]["questions"] == asked


def test_a_page_of_people_who_have_become_ineligible_is_passed_over() -> None:
    now = timezone.now()
    owner, skill = an_organisation(now=now), a_skill()
    opportunity = asking_for(skill, owner, rule={"skill": skill.pk, "minLevel": 2}, now=now)
    lost = [skilled(skill, 5, now=now) for _ in range(4)]
    kept = skilled(skill, 2, now=now)
    work(now)
    CandidateSkill.objects.filter(candidate__in=lost).update(level=1)
    query = """query ($id: ID!, $first: Int) { matches(opportunity: $id, first: $first) {
        pageInfo { hasNextPage hasPreviousPage endCursor } nodes { candidate { id } } } }"""
    page = Asker(owner.user).ask(query, id=global_id(opportunity), first=2)["matches"]
    assert page["nodes"] == [{"candidate": {"id": global_id(kept)}}]
    assert page["pageInfo"]["hasNextPage"] is False
    assert page["pageInfo"]["hasPreviousPage"] is False
    CandidateSkill.objects.filter(candidate=kept).update(level=1)
    assert Asker(owner.user).ask(query, id=global_id(opportunity), first=2)["matches"]["nodes"] == []


def test_an_allocation_is_planned_shown_and_committed() -> None:
    owner, skill = an_organisation(now=timezone.now()), a_skill("welding")
    opportunity = asking_for(skill, owner, seats=2, now=timezone.now())
    for _ in range(1):
        skilled(skill, now=timezone.now())
    work(timezone.now())
    recruiter = Asker(owner.user)
    planned = recruiter.do(
        "planAllocation",
        {
            "organisationId": global_id(owner.organisation),
            "opportunityIds": [global_id(opportunity)],
            "policy": {"quality": 500, "fill": 300, "speed": 200},
        },
        "id state",
        thing="AllocationRun",
    )
    assert planned["state"] == "QUEUED"
    solve_run(AllocationRun.objects.get().pk, timezone.now())
    query = f"query ($id: ID!) {{ allocationRun(id: $id) {{ {RUN} }} }}"
    run = recruiter.ask(query, id=planned["id"])["allocationRun"]
    assert run["state"] == "PLANNED"
    assert run["certificate"]["valid"] is True
    assert run["certificate"]["gap"] == 0
    [proposal] = run["proposals"]["nodes"]
    assert proposal["fit"]["score"] == sum(one["amount"] for one in proposal["fit"]["contributions"])
    [empty] = run["diagnosis"]
    assert empty["sentence"]
    assert Asker(an_organisation().user).ask(query, id=planned["id"])["allocationRun"] is None
    pinned = recruiter.do("pinProposal", {"proposalId": proposal["id"]}, "state", thing="Proposal")
    assert pinned["state"] == "PINNED"
    committed = recruiter.do("commitAllocation", {"runId": planned["id"]}, "state sent", thing="AllocationRun")
    assert (committed["state"], committed["sent"]) == ("COMMITTED", 1)
    assert Offer.objects.live().count() == 1
    again = recruiter.do("discardAllocation", {"runId": planned["id"]})
    assert again["code"] == "ILLEGAL_TRANSITION"


def test_runs_take_as_many_statements_for_several_as_for_one() -> None:
    owner, skill = an_organisation(now=timezone.now()), a_skill()
    opportunity = asking_for(skill, owner, seats=2, now=timezone.now())
    skilled(skill, now=timezone.now())
    work(timezone.now())
    recruiter = Asker(owner.user)

    def plan() -> None:
        recruiter.do(
            "planAllocation",
            {"organisationId": global_id(owner.organisation), "opportunityIds": [global_id(opportunity)]},
        )
        run = AllocationRun.objects.order_by("-pk").first()
        assert run is not None
        solve_run(run.pk, timezone.now())

    plan()
    recruiter.ask(RUNS)
    one = recruiter.statements(RUNS)
    for _ in range(5):
        plan()
    assert recruiter.ask(RUNS)["allocationRuns"]["totalCount"] == 6
    assert recruiter.statements(RUNS) == one


def test_a_preview_counts_whom_a_rule_would_admit() -> None:
    owner, skill = an_organisation(now=timezone.now()), a_skill("welding")
    skilled(skill, 3, now=timezone.now())
    skilled(skill, 1, now=timezone.now())
    work(timezone.now())
    query = """query ($rule: RuleInput) { eligibilityPreview(rule: $rule) {
        sentence eligible { value atMost exact label } unknown { value } ineligible { value }
        perCriterion { path sentence fail { label } unknown { label } alone { label } gain { label } }
        relaxations { path before after gain { label } rule } } }"""
    rule = {"all": [{"skill": {"skillId": global_id(skill), "minLevel": 2}}]}
    found = Asker(owner.user).ask(query, rule=rule)["eligibilityPreview"]
    assert found["eligible"] == {"value": None, "atMost": 9, "exact": False, "label": "fewer than 10"}
    openly = Asker(a_user(is_staff=True)).ask(query, rule=rule)["eligibilityPreview"]
    assert [openly[part]["value"] for part in ("eligible", "unknown", "ineligible")] == [1, 0, 1]
    assert openly["relaxations"][0]["rule"]["all"][0] == {"skill": global_id(skill), "minLevel": 1}
    assert found["perCriterion"][0]["sentence"] == "welding at level 2"
    assert Asker(a_user()).refusal(query, rule=rule)["code"] == "NOT_PERMITTED"
