"""What scoring reads of opportunities and of the day, gathered for many at once."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cached_property, lru_cache
from types import MappingProxyType

from django.conf import settings
from django.db.models import Exists, OuterRef, Q, QuerySet

from marketplace.core.workflow import OpportunityState
from marketplace.models import (
    Application,
    Candidate,
    CandidateGroup,
    CandidateGroupMembership,
    EligibilityWaiver,
    ExchangeRateSet,
    Opportunity,
)
from marketplace.queries.facts import current_rate_set, terms_of
from marketplace.queries.rules import resolved_rules
from marketplace.queries.taxonomy import taxonomy_revision
from matching.compile_sql import with_outcome
from matching.core.eligibility import Basis, Outcome
from matching.core.facts import CandidateFacts, OpportunityTerms, Reading
from matching.core.features import facts_weighed
from matching.core.rules import Disclosure, Rule, facts_asked, skills_counted
from matching.core.rules.disclosing import openness
from matching.core.scoring import LinearModel, PairValues, Scorer
from matching.models import CandidateProjection, ScoringModel
from matching.queries.serving import Served, Serving

SCORED_STATES = (OpportunityState.PUBLISHED.value, OpportunityState.PAUSED.value)


def top_k() -> int:
    """How many matches an opportunity has at least, besides those of its applicants, where so many suit it."""
    value: int = settings.MATCH_TOP_K
    return value


def most_kept() -> int:
    """How many are kept when it is scored as a whole: a fifth more, so that some may leave before others have to be
    looked for."""
    return top_k() + top_k() // 5


def tie_key() -> bytes:
    """The key of the hash that breaks ties: nobody outside can compute who comes first among equals."""
    return _tie_key(settings.SECRET_KEY)


@lru_cache(maxsize=1)
def _tie_key(secret: str) -> bytes:
    from hashlib import blake2b

    return blake2b(b"ties between candidates", key=secret.encode()[:64], digest_size=32).digest()


@dataclass(frozen=True)
class Basics:
    """What one pass of scoring holds fast: the day, the rates, the taxonomy, the models."""

    on: date
    now: datetime
    rates: ExchangeRateSet | None
    taxonomy: int
    serving: Serving
    key: bytes


@dataclass(frozen=True)
class Scorable:
    """One opportunity as scoring sees it."""

    opportunity: Opportunity
    terms: OpportunityTerms
    rule: Rule
    waived: frozenset[int]
    served: Served

    @property
    def model(self) -> ScoringModel:
        """The live one of its segment."""
        return self.served.model

    @property
    def scorer(self) -> Scorer:
        return self.served.scorer

    @property
    def linear(self) -> LinearModel:
        """The model where it is linear, else the linear one that comes nearest to it."""
        return self.served.linear

    def near_score_of(self, head: str, facts: CandidateFacts) -> int:
        """As `score_of`, by the linear model: what the web server ranks by."""
        return self.linear.total(head, PairValues(facts, self.terms))

    def score_of(self, head: str, facts: CandidateFacts) -> int:
        """The score of one head alone: what ranking needs, without its explanation."""
        return self.scorer.total(head, PairValues(facts, self.terms))

    @cached_property
    def reading(self) -> Reading:
        """What judging, scoring and explaining need of the facts that hang on a candidate."""
        return self.reading_for(self.scorer.features)

    @cached_property
    def openness(self) -> tuple[Disclosure, ...]:
        return openness(self.rule)

    def reading_for(self, features: Iterable[str]) -> Reading:
        """The same where these features are told of. What is near to a skill, or mentioned, is looked for among all."""
        facts = facts_asked(self.rule) | facts_weighed(features)
        if "mentioned_skills" in facts:
            return Reading(facts)
        return Reading(facts, skills_counted(self.rule).union(term.skill_id for term in self.terms.skills))

    @property
    def pk(self) -> int:
        return self.opportunity.pk

    @property
    def organisations(self) -> tuple[int, ...]:
        """Whose lists, and blocks against whom, count."""
        return organisations_of(self.opportunity)

    def basis(self, basics: Basics, facts: CandidateFacts) -> Basis:
        return Basis(
            rule_revision=self.terms.revision,
            taxonomy_revision=basics.taxonomy,
            exchange_rates=basics.rates.pk if basics.rates else None,
            candidate_revision=facts.revision,
        )


def opportunities_by_model(some: Iterable[Scorable]) -> dict[str, list[int]]:
    """By version, whose opportunities it scores."""
    found: dict[str, list[int]] = {}
    for one in sorted(some, key=lambda one: one.pk):
        found.setdefault(one.model.version, []).append(one.pk)
    return found


def organisations_of(opportunity: Opportunity) -> tuple[int, ...]:
    return tuple(sorted({opportunity.posting_organisation_id, opportunity.hiring_organisation_id}))


def basics_at(now: datetime, serving: Serving) -> Basics:
    on = now.astimezone(UTC).date()
    return Basics(
        on=on,
        now=now,
        rates=current_rate_set(on=on),
        taxonomy=taxonomy_revision(),
        serving=serving,
        key=tie_key(),
    )


def scorables(
    opportunities: QuerySet[Opportunity],
    basics: Basics,
    known: Mapping[int, OpportunityTerms] = MappingProxyType({}),
) -> dict[int, Scorable]:
    """By inner id, those of them that have a current revision. Terms that are `known` are not read. A constant number
    of queries."""
    rows = list(
        opportunities.filter(current_revision__isnull=False).select_related("current_revision", "posting_organisation")
    )
    missing = [row.pk for row in rows if row.pk not in known]
    terms = {**known, **(terms_of(missing, rate_set=basics.rates, on=basics.on) if missing else {})}
    rules = resolved_rules({row.pk: row.current_revision for row in rows}, rate_set=basics.rates)
    waived: dict[int, set[int]] = {}
    for opportunity_id, candidate_id in (
        EligibilityWaiver.objects.in_force(basics.now)
        .filter(opportunity__in=[row.pk for row in rows])
        .values_list("opportunity_id", "candidate_id")
    ):
        waived.setdefault(opportunity_id, set()).add(candidate_id)
    served = basics.serving.of([row.pk for row in rows], on=basics.on)
    return {
        row.pk: Scorable(row, terms[row.pk], rules[row.pk], frozenset(waived.get(row.pk, ())), served[row.pk])
        for row in rows
        if row.pk in terms and row.pk in served
    }


def pool_of(scorable: Scorable, basics: Basics) -> QuerySet[CandidateProjection]:
    """Whom an opportunity may be matched with: present, not surely ineligible; found or applying.

    Those who blocked the organisation, or whom it does not want to hire again, only if they apply. Has `outcome`.
    """
    organisations = scorable.organisations
    applied = Application.objects.live().filter(opportunity_id=scorable.pk, candidate_id=OuterRef("pk"))
    blocked = Candidate.blocked_organisations.through.objects.filter(
        candidate_id=OuterRef("pk"), organisation_id__in=organisations
    )
    unwanted = CandidateGroupMembership.objects.filter(
        candidate_id=OuterRef("pk"),
        group__organisation_id__in=organisations,
        group__kind=CandidateGroup.Kind.DO_NOT_REHIRE,
    )
    found = Q(discoverable=True) & ~Exists(blocked) & ~Exists(unwanted)
    passing = Q(outcome__in=[Outcome.ELIGIBLE.value, Outcome.UNKNOWN.value])
    if scorable.waived:
        passing |= Q(pk__in=sorted(scorable.waived))
    rows = CandidateProjection.objects.filter(present=True).filter(found | Q(Exists(applied)))
    return with_outcome(rows, scorable.rule, on=basics.on).filter(passing)


def refused_pairs(candidate_ids: Collection[int]) -> Mapping[int, set[int]]:
    """Candidate → organisations not to be brought together with: blocked, or with a do-not-rehire list they are on."""
    refused: dict[int, set[int]] = {}
    blocks = Candidate.blocked_organisations.through.objects.filter(candidate_id__in=candidate_ids)
    unwanted = CandidateGroupMembership.objects.filter(
        candidate_id__in=candidate_ids, group__kind=CandidateGroup.Kind.DO_NOT_REHIRE
    )
    for candidate_id, organisation_id in [
        *blocks.values_list("candidate_id", "organisation_id"),
        *unwanted.values_list("candidate_id", "group__organisation_id"),
    ]:
        refused.setdefault(candidate_id, set()).add(organisation_id)
    return refused
