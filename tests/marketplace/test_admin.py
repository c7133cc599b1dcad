"""What staff do at the console is what the API's actions do: the same moves, events, refusals and revisions."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.contrib import messages
from django.db import models
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import Event, Transition, User
from marketplace.actions.opportunities import waive_eligibility
from marketplace.models import (
    Candidate,
    EligibilityWaiver,
    ExchangeRateSet,
    Opportunity,
    Skill,
    TaxonomyRevision,
    VettingResult,
)
from tests.marketplace.factories import (
    a_candidate,
    a_draft,
    a_published_opportunity,
    a_skill,
    an_application,
    an_organisation,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def staff() -> User:
    return User.objects.create_superuser("chief@muster.example", "s3cret-pass-phrase")


@pytest.fixture
def console(staff: User, client: Client) -> Client:
    client.force_login(staff)
    return client


def address(row: models.Model | type[models.Model], page: str, *args: Any) -> str:
    return reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_{page}", args=args)


def take(console: Client, row: models.Model, step: str, **fields: Any) -> list[tuple[int, str]]:
    """Take a step on the row's page; what it was answered, latest first."""
    answer = console.post(address(row, f"take_{step}", row.pk), {"_form_submitted": "on", **fields})
    assert answer.status_code == 200
    assert "HX-Redirect" in answer.headers, answer.content.decode()[:2000]
    row.refresh_from_db()
    return [(one.level, str(one)) for one in messages.get_messages(answer.wsgi_request)][::-1]


def form_of(console: Client, page: str) -> dict[str, Any]:
    """What a browser would send back of a page if nothing were typed."""
    answer = console.get(page)
    assert answer.status_code == 200
    form = answer.context["adminform"].form
    formsets = [one.formset for one in answer.context["inline_admin_formsets"]]
    sent: dict[str, Any] = {}
    for inner in [form, *(one for formset in formsets for one in [formset.management_form, *formset.forms])]:
        for field in inner:
            value = field.value()
            if isinstance(value, bool):
                sent |= {field.html_name: "on"} if value else {}
            elif hasattr(field.field.widget, "decompress") and not isinstance(value, list):
                parts = field.field.widget.decompress(value)
                sent |= {f"{field.html_name}_{n}": "" if part is None else part for n, part in enumerate(parts)}
            elif isinstance(value, list) and not hasattr(field.field.widget, "choices"):
                sent[field.html_name] = ",".join(map(str, value))
            else:
                sent[field.html_name] = "" if value is None else value
    return sent


def events_of(row: models.Model) -> list[str]:
    rows = Event.objects.filter(aggregate_type=row._meta.model_name, aggregate_id=row.pk).order_by("sequence")
    return list(rows.values_list("name", flat=True))


def test_staff_publish_a_draft_through_the_same_action(console: Client, staff: User):
    opportunity = a_draft(now=timezone.now())
    assert take(console, opportunity, "publish")[0][0] == messages.SUCCESS
    assert opportunity.state == "published"
    assert opportunity.current_revision is not None
    move = Transition.objects.get(subject_type="opportunity", subject_id=opportunity.pk)
    assert (move.actor, move.actor_kind) == (staff, "staff")
    assert move.event.request_id


def test_a_refusal_is_shown_and_nothing_is_written(console: Client):
    opportunity = a_draft(now=timezone.now(), title="Welder", pay_bands=[])
    before = Event.objects.count()
    level, sentence = take(console, opportunity, "publish")[0]
    assert level == messages.ERROR
    assert opportunity.reference in sentence
    assert opportunity.state == "draft"
    assert Event.objects.count() == before


def test_an_illegal_move_is_an_answer_and_no_failure(console: Client):
    opportunity = a_draft(now=timezone.now())
    level, _ = take(console, opportunity, "resume")[0]
    assert level == messages.ERROR
    assert opportunity.state == "draft"


def test_selected_rows_are_refused_or_done_each_on_its_own(console: Client):
    published, draft = a_published_opportunity(now=timezone.now()), a_draft(now=timezone.now())
    answer = console.post(
        address(Opportunity, "changelist"),
        {"action": "take_pause_selected", "_selected_action": [published.pk, draft.pk]},
    )
    levels = {one.level for one in messages.get_messages(answer.wsgi_request)}
    published.refresh_from_db()
    draft.refresh_from_db()
    assert (published.state, draft.state) == ("paused", "draft")
    assert levels == {messages.SUCCESS, messages.ERROR}


def test_opening_a_dialog_changes_nothing(console: Client):
    opportunity = a_published_opportunity(now=timezone.now())
    assert console.get(address(opportunity, "take_close", opportunity.pk)).status_code == 200
    opportunity.refresh_from_db()
    assert opportunity.state == "published"


def test_a_rejection_asks_for_its_reason(console: Client):
    application = an_application(a_published_opportunity(now=timezone.now()), now=timezone.now())
    answer = console.post(address(application, "take_reject", application.pk), {"_form_submitted": "on"})
    assert "HX-Redirect" not in answer.headers
    take(console, application, "reject", reason="experience", note="too junior")
    assert (application.status, application.rejection_reason) == ("rejected", "experience")
    take(console, application, "reconsider")
    assert application.status == "active"


def test_seats_and_the_rule_are_changed_by_their_actions(console: Client):
    opportunity = a_published_opportunity(now=timezone.now(), seats=1)
    take(console, opportunity, "change_seats", seats="3")
    assert opportunity.seats.open().count() == 3
    take(console, opportunity, "set_rule", rule='{"attribute": "country", "op": "eq", "value": "DE"}')
    assert opportunity.current_revision.rule == {"attribute": "country", "op": "eq", "value": "DE"}
    level, _ = take(console, opportunity, "set_rule", rule='{"attribute": "religion", "op": "eq", "value": "none"}')[0]
    assert level == messages.ERROR


def test_terms_edited_at_the_console_make_a_revision_and_an_event(console: Client):
    opportunity = a_published_opportunity(now=timezone.now())
    first = opportunity.current_revision
    sent = form_of(console, address(opportunity, "change", opportunity.pk))
    band = next(name for name, value in sent.items() if name.startswith("pay_bands-0-maximum"))
    answer = console.post(address(opportunity, "change", opportunity.pk), {**sent, "title": "Chief welder", band: "35"})
    assert answer.status_code == 302, answer.context["errors"]
    opportunity.refresh_from_db()
    assert opportunity.title == "Chief welder"
    assert opportunity.pay_bands.get().maximum == Decimal(35)
    assert opportunity.current_revision != first
    assert "OpportunityUpdated" in events_of(opportunity)


def test_saving_without_a_change_tells_nobody(console: Client):
    opportunity = a_published_opportunity(now=timezone.now())
    before = events_of(opportunity)
    page = address(opportunity, "change", opportunity.pk)
    assert console.post(page, form_of(console, page)).status_code == 302
    assert events_of(opportunity) == before


def test_a_refusal_while_saving_shows_the_form_with_what_was_typed(console: Client):
    opportunity = a_published_opportunity(now=timezone.now())
    page = address(opportunity, "change", opportunity.pk)
    answer = console.post(page, {**form_of(console, page), "title": "a\tb"})
    assert answer.status_code == 200
    assert "a\tb" in answer.content.decode()
    opportunity.refresh_from_db()
    assert opportunity.title == "Welder"


def test_staff_draft_for_an_organisation(console: Client):
    organisation = an_organisation().organisation
    sent = form_of(console, address(Opportunity, "add"))
    answer = console.post(
        address(Opportunity, "add"),
        {**sent, "posting_organisation": organisation.pk, "hiring_organisation": organisation.pk, "title": "Baker",
         "seats": "2"},
    )  # fmt: skip
    assert answer.status_code == 302, answer.context["errors"]
    drafted = Opportunity.objects.get(title="Baker")
    assert (drafted.state, drafted.seats.count()) == ("draft", 2)
    assert events_of(drafted)[0] == "OpportunityDrafted"


def test_facts_edited_at_the_console_count_up_the_revision_and_are_told(console: Client):
    candidate = a_candidate()
    skill, before = a_skill(), candidate.revision
    page = address(candidate, "change", candidate.pk)
    sent = form_of(console, page) | {
        "weekly_hours": "20",
        "skills-TOTAL_FORMS": "1",
        "skills-0-skill": skill.pk,
        "skills-0-level": "4",
        "skills-0-source": "declared",
        "skills-0-candidate": candidate.pk,
    }
    answer = console.post(page, sent)
    assert answer.status_code == 302, answer.context["errors"]
    candidate.refresh_from_db()
    assert (candidate.weekly_hours, candidate.revision) == (20, before + 1)
    assert candidate.skills.get().level == 4
    event = Event.objects.filter(aggregate_type="candidate", aggregate_id=candidate.pk).latest("sequence")
    assert (event.name, event.payload["changed"]) == ("CandidateUpdated", ["skills", "weekly_hours"])


def test_a_waiver_and_its_end_go_through_their_actions(console: Client, staff: User):
    opportunity, candidate = a_published_opportunity(now=timezone.now()), a_candidate(now=timezone.now())
    until = timezone.now() + timezone.timedelta(days=3)
    answer = console.post(
        address(EligibilityWaiver, "add"),
        {"opportunity": opportunity.pk, "candidate": candidate.pk, "reason": "known to us",
         "until_0": until.date().isoformat(), "until_1": "12:00:00"},
    )  # fmt: skip
    assert answer.status_code == 302, answer.context["errors"]
    waiver = EligibilityWaiver.objects.get()
    assert waiver.granted_by == staff
    take(console, waiver, "revoke")
    assert waiver.revoked_at is not None


def test_rates_are_published_whole(console: Client):
    page = address(ExchangeRateSet, "add")
    sent = form_of(console, page) | {
        "on": "2027-01-01", "source": "bank", "rates-TOTAL_FORMS": "2", "rates-0-currency": "USD",
        "rates-0-per_euro": "1.1", "rates-1-currency": "GBP", "rates-1-per_euro": "0.85",
    }  # fmt: skip
    answer = console.post(page, sent)
    assert answer.status_code == 302, answer.context["errors"]
    first = ExchangeRateSet.objects.get()
    assert set(first.rates.values_list("currency", flat=True)) >= {"USD", "GBP"}
    again = form_of(console, page) | {"on": "2027-02-01", "source": "bank"}  # all taken over from the last
    assert console.post(page, again).status_code == 302
    latest = ExchangeRateSet.objects.latest()
    assert dict(latest.rates.values_list("currency", "per_euro")) == dict(
        first.rates.values_list("currency", "per_euro")
    )


def test_a_renamed_skill_is_folded_and_numbers_the_taxonomy(console: Client):
    skill = a_skill("welding")
    page = address(skill, "change", skill.pk)
    assert console.post(page, {**form_of(console, page), "name": "Brazing"}).status_code == 302
    skill = Skill.objects.get(pk=skill.pk)
    assert skill.folded == "brazing"
    revision = TaxonomyRevision.objects.first()
    assert revision is not None
    assert events_of(revision) == ["TaxonomyRevised"]


def test_hours_below_what_is_promised_are_refused_by_the_database_and_said(console: Client, monkeypatch):
    from django.db import IntegrityError

    from marketplace.admin.candidates import CandidateAdmin

    class Cause(Exception):
        class diag:
            constraint_name = "placement_within_candidate_hours"

    def break_it(*args: Any) -> None:
        raise IntegrityError from Cause()

    candidate = a_candidate()
    page = address(candidate, "change", candidate.pk)
    sent = form_of(console, page) | {"weekly_hours": "1"}
    monkeypatch.setattr(CandidateAdmin, "save_model", break_it)
    answer = console.post(page, sent)
    assert answer.status_code == 200
    assert "placement within candidate hours" in answer.content.decode()
    assert Candidate.objects.get(pk=candidate.pk).weekly_hours != 1


def test_staff_record_a_check_on_the_candidates_page_and_take_it_back(console: Client, staff: User):
    candidate = a_candidate(now=timezone.now())
    assert take(console, candidate, "record_vetting", kind="identity", passed="passed")[0][0] == messages.SUCCESS
    result = candidate.vetting_results.get()
    assert (result.kind, result.passed, result.until, result.recorded_by) == ("identity", True, None, staff)
    assert events_of(candidate) == ["CandidateRegistered", "VettingRecorded"]
    assert candidate.revision == 2

    sent = {"candidate": candidate.pk, "kind": "identity"}
    answer = console.post(address(VettingResult, "add"), sent)
    assert answer.status_code == 302, answer.context["adminform"].form.errors
    result.refresh_from_db()
    assert result.passed is False
    page = console.get(address(candidate, "change", candidate.pk)).content.decode()
    assert "Record a check" in page

    answer = console.post(address(result, "take_withdraw", result.pk), {"_form_submitted": "on"})
    assert "HX-Redirect" in answer.headers
    assert not VettingResult.objects.exists()
    assert events_of(candidate)[2:] == ["VettingRecorded", "VettingWithdrawn"]


def test_a_check_that_makes_no_sense_is_refused_on_its_page(console: Client):
    candidate = a_candidate(now=timezone.now())
    sent = {"candidate": candidate.pk, "kind": "identity", "passed": "on", "until": "2020-01-01"}
    answer = console.post(address(VettingResult, "add"), sent)
    assert "must not lie in the past" in answer.content.decode()
    assert not VettingResult.objects.exists()


def test_a_verdict_tells_staff_what_it_rests_on_and_who_waived_the_rule(console: Client):
    now = timezone.now()
    owner = an_organisation(now=now)
    rule = {"attribute": "country", "op": "eq", "value": "DE"}
    opportunity, candidate = a_published_opportunity(owner, rule=rule, now=now), a_candidate(country="FR", now=now)
    waive_eligibility(
        actor=owner.actor,
        opportunity_id=opportunity.public_id,
        candidate_id=candidate.public_id,
        reason="moves in May",
        until=now + timedelta(days=9),
        now=now,
    )
    application = an_application(opportunity, candidate, now=now)
    page = console.get(address(application, "change", application.pk)).content.decode()
    assert f"Let in by a waiver of {owner.user} until" in page
    assert "moves in May" in page
    assert "by the rule of revision 1, facts of revision 1" in page
