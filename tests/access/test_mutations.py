"""Everybody does what the matrix says. To others what they name looks as good as absent, and nothing changes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection, transaction

from accounts.api.nodes import decode_id, encode_id
from accounts.models import Membership, ServiceToken
from marketplace.models import Invitation, Notification
from matching.models import Proposal, SavedSearch
from tests.access.asking import SCHEMA
from tests.access.matrix import matrix
from tests.access.world import DIFFERENT, PRINCIPALS, Side, World
from tests.config.graphql_client import REFUSAL, Asker, global_id

pytestmark = [pytest.mark.django_db, pytest.mark.xdist_group("access")]

Asking = Callable[[str], Asker]
MUTATIONS: dict[str, str] = matrix().raw["mutations"]
SHUT = {"LOGIN_REQUIRED", "NOT_FOUND", "NOT_PERMITTED"}
PAY = {"amount": "25", "currency": "EUR", "period": "HOUR"}


def inputs(world: World, side: Side) -> dict[str, tuple[Any, dict[str, Any]]]:
    """For each mutation the row of a side that it is about, and an input that nothing is wrong with."""
    later = (world.now + timedelta(days=2)).isoformat()
    organisation, person, found = side.owner.organisation, side.person, global_id(world.people["found"])
    opportunity, draft, placement = side.rows["open"], side.rows["draft"], side.rows["hired"]
    application, offer, run = side.rows["application"], side.rows["offer"], side.rows["run"]
    invitation = Invitation.objects.get(candidate=person)
    token = ServiceToken.objects.get(organisation=organisation)
    search = SavedSearch.objects.get(candidate=person)
    proposal = Proposal.objects.filter(run=run).first()
    note = Notification.objects.filter(user=person.user).first()
    told = {
        "createOrganisation": (None, {"name": "Yards"}),
        "inviteMember": (organisation, {"email": "new@example.org", "role": "OBSERVER"}),
        "acceptMembership": (Membership.objects.get(organisation=organisation, user=side.owner.user), {}),
        "createServiceToken": (organisation, {"name": "New", "scopes": []}),
        "revokeServiceToken": (token, {}),
        "registerCandidate": (None, {}),
        "updateCandidate": (person, {"headline": "Changed"}),
        "recordVetting": (person, {"kind": "REFERENCES", "passed": True}),
        "draftOpportunity": (organisation, {"title": "New"}),
        "updateOpportunity": (opportunity, {"title": "Changed"}),
        "setEligibilityRule": (opportunity, {"rule": {"livesIn": {"places": ["DE"]}}}),
        "waiveEligibility": (opportunity, {"candidateId": found, "reason": "Why not.", "until": later}),
        "publishOpportunity": (draft, {}),
        "pauseOpportunity": (opportunity, {}),
        "resumeOpportunity": (opportunity, {}),
        "closeOpportunity": (opportunity, {}),
        "reopenOpportunity": (opportunity, {}),
        "changeSeats": (opportunity, {"seats": 5}),
        "inviteCandidate": (opportunity, {"candidateId": found}),
        "acceptInvitation": (invitation, {}),
        "declineInvitation": (invitation, {}),
        "apply": (opportunity, {}),
        "withdrawApplication": (application, {}),
        "moveApplication": (application, {"stage": "review"}),
        "rejectApplication": (application, {"reason": "PAY"}),
        "rejectApplications": (application, {"reason": "PAY"}),
        "reconsiderApplication": (side.rows["rejected"], {}),
        "sendOffer": (side.rows["waived"], {"pay": PAY}),
        "prolongOffer": (offer, {"expiresAt": later}),
        "withdrawOffer": (offer, {}),
        "acceptOffer": (offer, {}),
        "declineOffer": (offer, {}),
        "startPlacement": (placement, {}),
        "pausePlacement": (placement, {}),
        "resumePlacement": (placement, {}),
        "completePlacement": (placement, {}),
        "endPlacement": (placement, {"reason": "Over."}),
        "cancelPlacement": (placement, {"reason": "Over."}),
        "reportNoShow": (placement, {}),
        "markNotificationsRead": (note, {}),
        "exportMyData": (None, {}),
        "eraseMe": (None, {"email": "of-another@example.org"}),
        "saveSearch": (None, {"query": {"search": "welding"}}),
        "updateSavedSearch": (search, {"name": "Changed"}),
        "deleteSavedSearch": (search, {}),
        "planAllocation": (organisation, {}),
        "pinProposal": (proposal, {}),
        "excludeProposal": (proposal, {}),
        "commitAllocation": (run, {}),
        "discardAllocation": (run, {}),
        "setBackfill": (opportunity, {"policy": "PROPOSE"}),
        "sendOpenCall": (opportunity, {"overbookingPpm": 100_000}),
        "routeCandidate": (organisation, {"candidateId": found}),
    }
    return {name: (row, asked | _naming(name, row)) for name, (row, asked) in told.items()}


def _naming(mutation: str, row: Any) -> dict[str, Any]:
    """How an input of a mutation names the row that it is about."""
    if row is None:
        return {}
    key = global_id(row)
    kind = decode_id(key)[0]  # type: ignore[index]
    wanted = "runId" if kind == "AllocationRun" else f"{kind[0].lower()}{kind[1:]}Id"
    fields = _fields(mutation)
    name = next(one for one in (wanted, f"{wanted}s", "id") if one in fields)
    return {name: [key] if name.endswith("s") else key}


def _fields(mutation: str) -> Any:
    mutations: Any = SCHEMA.mutation_type
    return mutations.fields[mutation].args["input"].type.of_type.fields


@contextmanager
def taken_back() -> Iterator[None]:
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def writes() -> int:
    """How many rows this transaction has written so far, taken back or not."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT sum(n_tup_ins + n_tup_upd + n_tup_del) FROM pg_stat_xact_user_tables")
        return int(cursor.fetchone()[0] or 0)


def done(asker: Asker, mutation: str, input: dict[str, Any]) -> tuple[dict[str, Any], int]:
    """What a mutation answered, and how many rows it wrote; all is as it was afterwards."""
    pascal = mutation[0].upper() + mutation[1:]
    document = f"mutation ($input: {pascal}Input!) {{ {mutation}(input: $input) {{ __typename {REFUSAL} }} }}"
    before = writes()
    with taken_back():
        answer: dict[str, Any] = asker.ask(document, input=input)[mutation]
        return answer, writes() - before


def test_every_mutation_is_classified_and_tried(world: World) -> None:
    mutations: Any = SCHEMA.mutation_type
    assert set(mutations.fields) == set(MUTATIONS) == set(inputs(world, world.ours))


@pytest.mark.parametrize(
    "principal", [one if one in DIFFERENT else pytest.param(one, marks=pytest.mark.soak) for one in PRINCIPALS]
)
def test_everybody_does_what_they_may_and_nothing_else(world: World, asking: Asking, principal: str) -> None:
    asker, wrong = asking(principal), []
    # To those who belong nowhere one side is as good as the other, and the rival tries what is not a recruiter's own.
    for side in (world.ours, world.theirs) if principal in ("candidate", "recruiter", "rival") else (world.ours,):
        for name, (row, asked) in inputs(world, side).items():
            access = matrix().access[MUTATIONS[name]]
            specimen = world.specimen(row if row is not None else side.person)
            answer, written = done(asker, name, asked)
            code = answer.get("code")
            if access.allows(principal, specimen):
                if code in SHUT:
                    wrong.append(f"{principal} may not {name} of {specimen}: {answer}")
            elif code not in SHUT and code != "ILLEGAL_TRANSITION":  # no move of theirs, where it is theirs to see
                wrong.append(f"{principal} may {name} of {specimen}: {answer}")
            elif written:
                wrong.append(f"{principal} may not {name} of {specimen}, and yet {written} rows were written")
            elif row is not None and not matrix().node[specimen.type].allows(principal, specimen):
                absent = asked | {key: _leading_nowhere(value) for key, value in _naming(name, row).items()}
                other, _ = done(asker, name, absent)
                if other != answer:
                    wrong.append(f"{principal} can tell by {name} that {specimen} is there: {answer} and {other}")
    assert not wrong, "\n".join(wrong)


def _leading_nowhere(value: Any) -> Any:
    """An id that leads nowhere, in place of one that leads to a row."""
    if isinstance(value, list):
        return [_leading_nowhere(one) for one in value]
    return encode_id(decode_id(value)[0], uuid4())  # type: ignore[index]


def test_others_notifications_are_passed_over(world: World, asking: Asking) -> None:
    row, asked = inputs(world, world.theirs)["markNotificationsRead"]
    assert row.read_at is None
    answer, written = done(asking("owner"), "markNotificationsRead", asked)
    assert (answer["__typename"], written) == ("NotificationsRead", 0)
