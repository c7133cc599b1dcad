"""Matches, with the addends of every score."""

import struct
from bisect import bisect_right
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from hashlib import sha256
from typing import Any
from uuid import UUID

import strawberry
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from django.conf import settings
from django.utils import timezone

from accounts.access import require_right
from accounts.api.connections import Key, Order, Page, page, page_size
from accounts.api.context import Context, Info
from accounts.api.fields import one
from accounts.api.nodes import Node, node_type, public_id
from accounts.api.peers import answered, batched, related, together
from accounts.api.scalars import BigInt
from accounts.core.actor import Actor
from accounts.errors import NotFound, NotPermitted
from marketplace.access import access_opportunity, visible_candidates
from marketplace.api.candidates import CandidateType
from marketplace.api.enums import OutcomeEnum
from marketplace.api.money import ExchangeRateSetType
from marketplace.api.opportunities import OpportunityRevisionType, OpportunityType
from marketplace.api.verdicts import VerdictType, stored_verdict
from marketplace.models import Candidate, Opportunity
from marketplace.queries.facts import facts_of, terms_of
from marketplace.queries.rates import current_rate_set
from marketplace.queries.skills import skill_names
from matching.actions.models import serving_now
from matching.api.exposure import as_scored, exposing
from matching.core.eligibility import Outcome
from matching.core.facts import CandidateFacts, OpportunityTerms
from matching.core.features import FEATURES, skills_told_of
from matching.core.scoring import INTERCEPT, probability_ppm
from matching.models import Decision, Match, Proposal
from matching.queries.matches import Present, features_of, matches_for, rechecked
from matching.queries.recommendations import recommendation, recommendations_for
from matching.queries.scorable import basics_at

MILLION = 1_000_000
LARGEST_KEY = 2**63 - 1  # of a row; what is decrypted from an id that was not given out may be anything


@strawberry.type(
    name="Contribution",
    description=(
        "One addend of a score. Of a linear model, amount = weight × value, exactly. Of any other, the amount is the"
        " feature's Shapley value: what it adds on average over all orders in which features become known."
    ),
)
class ContributionType:
    feature: str = strawberry.field(description="What was looked at; `intercept` is where everybody starts.")
    value: int = strawberry.field(description="How much of it there is, in thousandths.")
    weight: BigInt = strawberry.field(
        description="What it counts, in thousandths of log-odds; 0 where the model is not linear and has no weights."
    )
    amount: BigInt = strawberry.field(description="What it adds, in millionths of log-odds.")
    sentence: str = strawberry.field(description="The same for people, from the facts as they stand.")


@strawberry.type(name="Score", description="A score with its addends, in millionths of log-odds, and as a probability.")
class ScoreType:
    score: BigInt = strawberry.field(description="The sum of the contributions, exactly.")
    probability: float = strawberry.field(description="What the score stands for, from 0 to 1.")
    contributions: list[ContributionType] = strawberry.field(description="The addends, largest first.")


Sentences = Callable[[str], str]


def _sentences(context: Context, row: Any) -> Sentences:
    """What each feature says of a pair; for all peers in a constant number of statements."""

    def load(rows: list[Any]) -> dict[int, Sentences]:
        facts, terms, taxonomy = _known(rows)
        if len(facts) < len({one.candidate_id for one in rows}):
            rates = context.remembered("rates", lambda: current_rate_set(on=context.now.date()))
            on = context.now.astimezone(UTC).date()
            facts = facts_of({one.candidate_id for one in rows}, on=on, rate_set=rates)
            terms = terms_of({one.opportunity_id for one in rows}, rate_set=rates, on=on)
        pairs = {one.pk: (facts.get(one.candidate_id), terms.get(one.opportunity_id)) for one in rows}
        told = {
            key
            for one in rows
            if (person := pairs[one.pk][0]) and (asked := pairs[one.pk][1])
            for key in skills_told_of(person, asked, features_of(one))
        }
        names = skill_names(told, taxonomy=taxonomy)
        return {pk: teller(person, asked, names) for pk, (person, asked) in pairs.items()}

    return batched(row, "sentences", load, str)


def _known(rows: Collection[Any]) -> tuple[dict[int, CandidateFacts], dict[int, OpportunityTerms], int]:
    """What was gathered of these pairs already, when they were rechecked, and the state of the taxonomy by which; 0
    where that was not seen."""
    present = [one for row in rows if (one := answered(row, "present")) is not None]
    facts = {one.facts.candidate_id: one.facts for one in present}
    terms = {one.scorable.pk: one.scorable.terms for one in present}
    return facts, terms, min((one.verdict.basis.taxonomy_revision or 0 for one in present), default=0)


def teller(facts: CandidateFacts | None, terms: OpportunityTerms | None, names: Mapping[int, str]) -> Sentences:
    """What any feature says of a pair. One of an older model, and any where nothing is there any more of the pair, is
    told by its name alone."""
    told = _SENTENCES if facts is not None and terms is not None else _OF_NOBODY

    def tell(feature: str) -> str:
        sentence = told.get(feature)
        return feature.replace("_", " ") if sentence is None else sentence(facts, terms, names)

    return tell


_OF_NOBODY: Mapping[str, Callable[..., str]] = {INTERCEPT: lambda *_: "where everybody starts"}
_SENTENCES: Mapping[str, Callable[..., str]] = {
    **_OF_NOBODY,
    **{name: feature.sentence for name, feature in FEATURES.items()},
}


@dataclass(frozen=True)
class Addend:
    """A stored contribution that tells its sentence when it is asked."""

    feature: str
    value: int
    weight: int  # 0 where there is none
    amount: int
    tell: Sentences

    @property
    def sentence(self) -> str:
        return self.tell(self.feature)


@dataclass(frozen=True)
class Scored:
    score: int
    stored: list[dict[str, Any]]
    tell: Callable[[], Sentences]

    @property
    def probability(self) -> float:
        return probability_ppm(self.score) / MILLION

    @property
    def contributions(self) -> list[Addend]:
        tell = self.tell()
        return [Addend(one["feature"], one["value"], one["weight"] or 0, one["amount"], tell) for one in self.stored]


def scored(context: Context, row: Match | Proposal, score: int, stored: list[dict[str, Any]]) -> Any:
    return Scored(score, stored, lambda: _sentences(context, row))


BY_FIT = Order("matches", (Key("fit", descending=True), Key("tie_break"), Key("candidate_id")))


def matches_asked_for(context: Context, opportunity: str) -> Opportunity:
    """The opportunity with this global id, for members of the organisation that recruits for it. Raises InvalidInput,
    NotFound, NotPermitted."""
    found = access_opportunity(context.actor, public_id(opportunity, "Opportunity", field="opportunity"))
    if not context.reads(found.posting_organisation_id):
        raise NotPermitted("see who suits this opportunity")
    return found


def matches_page(context: Context, opportunity: Opportunity, *, first: int | None, after: str | None) -> Any:
    """One page of who suits an opportunity best, rechecked: whom the rule has come to refuse, as it stands or by what
    they are now, is left out, though the count may still know them. Raises InvalidInput."""
    rows = matches_for(opportunity).select_related(None)
    found = page(rows, first=first, after=after, order=BY_FIT)
    shown = _still_matched(context, found.rows)
    while found.rows and not shown and found.has_next:  # an empty page would have no cursor to go on from
        found = page(rows, first=first, after=BY_FIT.cursor(found.rows[-1]), order=BY_FIT)
        shown = _still_matched(context, found.rows)
    found.rows = shown
    found.has_previous = after is not None
    found.on_read = exposing(
        context,
        Decision.Surface.MATCHES,
        lambda: [as_scored(row) for row in found.rows],
        first_rank=lambda: 1 + (BY_FIT.apply(rows).filter(~BY_FIT.after(BY_FIT.values(after))).count() if after else 0),
    )
    return found


BY_INTEREST = Order(
    "recommendations",
    (
        Key("unwanted"),
        Key("interest", descending=True),
        Key("fit", descending=True),
        Key("tie_break"),
        Key("opportunity_id"),
    ),
)


def recommended_page(context: Context, candidate: Candidate, *, first: int | None, after: str | None) -> Any:
    """One page of what suits a candidate best of what is open, computed now. Raises InvalidInput."""
    size = page_size(first)
    start: Any = None
    if after is not None:
        unwanted, interest, fit, tie_break, opportunity_id = BY_INTEREST.values(after)
        start = (unwanted, -interest, -fit, tie_break, opportunity_id)
    found = recommendations_for(candidate, basics_at(context.now, serving_now()))
    standings = found.standings
    begin = bisect_right(standings, start) if start is not None else 0
    rows = found.matches(standings[begin : begin + size])
    for row in rows:
        row.public_id = _recommendation_id(row.opportunity_id, candidate.pk)
    return Page(
        rows=together(rows),
        order=BY_INTEREST,
        has_next=len(standings) > begin + size,
        has_previous=after is not None,
        count=lambda: len(standings),
        on_read=exposing(
            context,
            Decision.Surface.RECOMMENDATIONS,
            lambda: [as_scored(row) for row in rows],
            first_rank=lambda: begin + 1,
        ),
    )


def _recommendation_id(opportunity_id: int, candidate_id: int) -> UUID:
    """The id of a match that no row keeps: the pair, encrypted, so that it can be found again and stays the same."""
    cipher = _pair_cipher().encryptor()
    return UUID(bytes=cipher.update(struct.pack(">QQ", opportunity_id, candidate_id)))


def _recommended(actor: Actor, match_id: UUID) -> Match | None:
    """The match that a recommendation's id stands for, to the candidate whom it was recommended to."""
    opportunity_id, candidate_id = struct.unpack(">QQ", _pair_cipher().decryptor().update(match_id.bytes))
    candidate = Candidate.objects.filter(pk=candidate_id & LARGEST_KEY).first()
    if candidate is None or actor.user_id is None or candidate.user_id != actor.user_id:
        return None
    opportunity = Opportunity.objects.filter(pk=opportunity_id & LARGEST_KEY).first()
    if opportunity is None:
        return None
    match = recommendation(candidate, opportunity, basics_at(timezone.now(), serving_now()))
    if match is not None:
        match.public_id = match_id
    return match


@cache
def _pair_cipher() -> Cipher:
    """One block, whose plaintexts are all different: here the plainest mode of all gives nothing away."""
    return Cipher(algorithms.AES(sha256(b"match:" + settings.SECRET_KEY.encode()).digest()), modes.ECB())


def _access_match(actor: Actor, match_id: UUID) -> Match:
    """The organisation that recruits, and the candidate whom it is about."""
    match = Match.objects.select_related("opportunity", "candidate").filter(public_id=match_id).first()
    if match is None and actor.user_id is not None:
        match = _recommended(actor, match_id)
    if match is None or actor.user_id is None:
        raise NotFound("match")
    if match.candidate.user_id == actor.user_id:
        access_opportunity(actor, match.opportunity.public_id)
    else:
        require_right(actor, match.opportunity.posting_organisation_id, "read", kind="match")
        if not visible_candidates(actor).filter(pk=match.candidate_id).exists():
            raise NotFound("match")
    return match


def _present(context: Context, row: Match) -> Present | None:
    """What the tables say now of a match and its peers, which from then on carry the verdict by it."""

    def load(rows: list[Match]) -> dict[int, Present]:
        kept = [one for one in rows if not one._state.adding]  # the others were computed just now
        found = rechecked(kept, basics_at(context.now, serving_now())) if kept else {}
        for match in kept:
            if match.pk in found:
                match.verdict = found[match.pk].verdict.to_json()
                match.outcome = found[match.pk].verdict.outcome.value
        return found

    return batched(row, "present", load, None)


def _still_matched(context: Context, rows: list[Match]) -> list[Match]:
    """Those whom the rule does not refuse by what the tables say now."""
    for row in rows:
        _present(context, row)
    return [row for row in rows if row.outcome != Outcome.INELIGIBLE]


@node_type(
    Match,
    name="Match",
    description="How well a candidate and an opportunity suit, as last computed. Three numbers, never one.",
    access=_access_match,
)
class MatchType(Node):
    opportunity = one("opportunity", OpportunityType, "Which opportunity.")
    candidate = one("candidate", CandidateType, "Which candidate.")
    outcome: OutcomeEnum = strawberry.field(description="Eligible, or unknown; the ineligible are not matched.")
    revision = one("revision", OpportunityRevisionType, "The terms it was computed under.")
    rate_set = one("rate_set", ExchangeRateSetType, "The exchange rates used.", optional=True)
    computed_at: datetime = strawberry.field(description="When.")

    @strawberry.field(description="The version of the model that scored.")
    def model_version(root: strawberry.Parent[Any]) -> str:
        return related(root, "model").version

    @strawberry.field(description="How well they suit what is asked.")
    def fit(root: strawberry.Parent[Any], info: Info) -> ScoreType:
        return scored(info.context, root, root.fit, root.contributions["fit"])

    @strawberry.field(description="How much they would want it.")
    def interest(root: strawberry.Parent[Any], info: Info) -> ScoreType:
        return scored(info.context, root, root.interest, root.contributions["interest"])

    @strawberry.field(description="How likely they are to accept an offer.")
    def acceptance(root: strawberry.Parent[Any], info: Info) -> ScoreType:
        return scored(info.context, root, root.acceptance, root.contributions["acceptance"])

    @strawberry.field(description="The probability that they suit, from 0 to 1: that of the fit.")
    def probability(root: strawberry.Parent[Any]) -> float:
        return probability_ppm(root.fit) / MILLION

    @strawberry.field(description="Eligibility, by the rule as it stands.")
    def verdict(root: strawberry.Parent[Any], info: Info) -> VerdictType | None:
        _present(info.context, root)
        return stored_verdict(info.context, root)  # type: ignore[return-value]
