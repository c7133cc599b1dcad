"""Skills recognised in free text: read once, kept, and found by whoever decides."""

from __future__ import annotations

from datetime import date

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from marketplace.actions.candidates import CandidateFields, ExperienceInput, SkillInput, update_candidate
from marketplace.actions.mentions import keep_readings, read_candidates, read_opportunities
from marketplace.actions.opportunities import SkillTermInput
from marketplace.models import (
    Candidate,
    CandidateMentions,
    Occupation,
    OccupationLabel,
    OpportunityMentions,
    Skill,
    TaxonomyRevision,
)
from marketplace.queries.facts import facts_of, terms_of
from matching.core.features.texts import title_affinity
from tests.marketplace.factories import NOW, a_candidate, a_published_opportunity, a_skill, actor_of

pytestmark = pytest.mark.django_db
TECHNOLOGY = Skill.Kind.TECHNOLOGY


@pytest.fixture
def kubernetes() -> Skill:
    return a_skill("Kubernetes", kind=TECHNOLOGY)


@pytest.fixture
def postgres() -> Skill:
    return a_skill("PostgreSQL", kind=TECHNOLOGY)


def mentioned(candidate: Candidate) -> frozenset[int]:
    keep_readings(read_candidates([candidate.pk]))
    found = facts_of([candidate.pk], on=NOW.date(), rate_set=None)[candidate.pk].mentioned_skills
    assert type(found) is frozenset  # a set is equal to one, and cannot be stored
    return found


def edit(candidate: Candidate, **facts) -> None:
    update_candidate(
        actor=actor_of(candidate), candidate_id=candidate.public_id, fields=CandidateFields(**facts), now=NOW
    )


def test_skills_are_read_from_the_resume_and_from_experiences(kubernetes, postgres) -> None:
    helm = a_skill("OpenShift", kind=TECHNOLOGY)
    candidate = a_candidate(
        resume_text="Ran Kubernetes for years.",
        experiences=[ExperienceInput("PostgreSQL administrator", date(2020, 1, 1), description="Moved to OpenShift.")],
    )
    assert mentioned(candidate) == {kubernetes.pk, postgres.pk, helm.pk}


def test_what_is_declared_is_not_mentioned_besides(kubernetes, postgres) -> None:
    candidate = a_candidate(resume_text="Kubernetes, PostgreSQL", skills=[SkillInput(postgres.public_id, 3)])
    assert mentioned(candidate) == {kubernetes.pk}


def test_a_skill_that_was_merged_since_counts_as_what_it_became(kubernetes, postgres) -> None:
    candidate = a_candidate(resume_text="Kubernetes", skills=[SkillInput(postgres.public_id, 3)])
    assert mentioned(candidate) == {kubernetes.pk}
    Skill.objects.filter(pk=kubernetes.pk).update(merged_into=postgres)
    assert mentioned(candidate) == frozenset()  # declared, as it happens


def test_facts_are_gathered_without_reading_texts(kubernetes, monkeypatch) -> None:
    candidate = a_candidate(resume_text="Kubernetes")
    monkeypatch.setattr("marketplace.actions.mentions.recogniser", lambda: pytest.fail("read again"))
    assert facts_of([candidate.pk], on=NOW.date(), rate_set=None)[candidate.pk].mentioned_skills == frozenset()


def test_a_text_that_stays_is_not_read_again_when_something_else_changes(kubernetes, monkeypatch) -> None:
    candidate = a_candidate(resume_text="Kubernetes")
    assert mentioned(candidate) == {kubernetes.pk}
    edit(candidate, country="DE")
    monkeypatch.setattr("marketplace.actions.mentions.recogniser", lambda: pytest.fail("read again"))
    assert mentioned(candidate) == {kubernetes.pk}
    assert CandidateMentions.objects.get().revision == 2


def test_a_text_that_changes_is_read_again(kubernetes, postgres) -> None:
    candidate = a_candidate(resume_text="Kubernetes")
    mentioned(candidate)
    edit(candidate, resume_text="PostgreSQL")
    assert mentioned(candidate) == {postgres.pk}
    edit(candidate, resume_text=None)
    assert mentioned(candidate) == frozenset()


def test_another_taxonomy_reads_otherwise(kubernetes) -> None:
    candidate = a_candidate(resume_text="Kubernetes and PostgreSQL")
    opportunity = a_published_opportunity(description="PostgreSQL")
    read_opportunities([opportunity.pk])
    assert mentioned(candidate) == {kubernetes.pk}

    postgres = a_skill("PostgreSQL", kind=TECHNOLOGY)
    TaxonomyRevision.objects.create(number=1, summary="one more", at=NOW)

    read_opportunities([opportunity.pk])
    assert mentioned(candidate) == {kubernetes.pk, postgres.pk}
    assert OpportunityMentions.objects.get().skill_ids == [postgres.pk]


def test_who_read_an_older_revision_does_not_overwrite_what_was_read_since(kubernetes, postgres) -> None:
    candidate = a_candidate(resume_text="Kubernetes")
    late = read_candidates([candidate.pk])
    edit(candidate, resume_text="PostgreSQL")
    keep_readings(read_candidates([candidate.pk]))
    keep_readings(late)
    assert CandidateMentions.objects.get().skill_ids == [postgres.pk]


def test_where_nothing_is_written_nothing_is_read(monkeypatch) -> None:
    monkeypatch.setattr("marketplace.actions.mentions.recogniser", lambda: pytest.fail("nothing to read"))
    candidate = a_candidate(resume_text="", experiences=[])
    assert mentioned(candidate) == frozenset()
    assert read_candidates([candidate.pk]) == []  # and once is enough


def test_nobody_is_read_who_is_not_there() -> None:
    assert read_candidates([2**40]) == []
    read_opportunities([2**40])


def test_an_opportunity_describes_what_it_does_not_ask_for(kubernetes, postgres) -> None:
    opportunity = a_published_opportunity(
        title="Kubernetes engineer",
        description="You keep PostgreSQL alive.",
        skills=[SkillTermInput(kubernetes.public_id)],
    )
    read_opportunities([opportunity.pk])
    terms = terms_of([opportunity.pk], rate_set=None, on=NOW.date())[opportunity.pk]
    assert terms.described_skills == {postgres.pk}
    assert type(terms.described_skills) is frozenset
    assert terms.title_words == {"kubernete", "engineer"}
    assert terms.on == NOW.date()
    assert terms.organisations == {opportunity.posting_organisation_id, opportunity.hiring_organisation_id}


def test_many_are_read_in_as_many_statements_as_one(kubernetes) -> None:
    people = [a_candidate(resume_text="Kubernetes").pk for _ in range(5)]
    work = [a_published_opportunity(description="Kubernetes").pk for _ in range(5)]
    mentioned(a_candidate(resume_text="Kubernetes"))  # makes the recogniser ready
    counts = []
    for some in (slice(0, 1), slice(1, 5)):
        with CaptureQueriesContext(connection) as captured:
            keep_readings(read_candidates(people[some]))
            read_opportunities(work[some])
        counts.append(len(captured))
    assert counts[0] == counts[1]


# Titles


def an_occupation(name: str, *labels: str) -> Occupation:
    occupation = Occupation.objects.create(name=name, folded=name.lower())
    for label in labels:
        OccupationLabel.objects.create(occupation=occupation, label=label, folded=label.lower())
    return occupation


def affinity(candidate: Candidate, title: str) -> int:
    """Of the titles of a candidate and of an opportunity that state no occupation."""
    opportunity = a_published_opportunity(title=title)
    read_opportunities([opportunity.pk])
    keep_readings(read_candidates([candidate.pk]))
    facts = facts_of([candidate.pk], on=NOW.date(), rate_set=None)[candidate.pk]
    terms = terms_of([opportunity.pk], rate_set=None, on=NOW.date())[opportunity.pk]
    return title_affinity(facts, terms)


def test_titles_that_share_no_word_are_of_one_occupation_by_its_other_names() -> None:
    an_occupation("web developer", "front-end engineer", "website programmer")
    experiences = [ExperienceInput("Senior Front-End Engineer", date(2020, 1, 1))]
    assert affinity(a_candidate(experiences=experiences), "Website programmer (m/f/d), Vienna") == 1000
    assert affinity(a_candidate(headline="Website programmer"), "Front end engineer") == 1000
    assert affinity(a_candidate(headline="Poet"), "Website programmer") == 0


def test_a_stated_occupation_goes_before_what_the_title_names() -> None:
    web, cook = an_occupation("web developer"), an_occupation("cook")
    opportunity = a_published_opportunity(title="Web developer", occupation_id=cook.public_id)
    read_opportunities([opportunity.pk])
    assert terms_of([opportunity.pk], rate_set=None, on=NOW.date())[opportunity.pk].occupation == cook.pk
    assert OpportunityMentions.objects.get().occupation_ids == [web.pk]


def test_a_title_of_several_occupations_says_none_of_an_opportunity_and_all_of_a_candidate() -> None:
    both = [an_occupation(name, "kitchen head").pk for name in ("chef", "cook")]
    opportunity, candidate = a_published_opportunity(title="Kitchen head"), a_candidate(headline="Kitchen head")
    read_opportunities([opportunity.pk])
    keep_readings(read_candidates([candidate.pk]))
    assert terms_of([opportunity.pk], rate_set=None, on=NOW.date())[opportunity.pk].occupation is None
    assert facts_of([candidate.pk], on=NOW.date(), rate_set=None)[candidate.pk].occupations == frozenset(both)
