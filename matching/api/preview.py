"""What a rule would do, for those who edit it."""

import strawberry

from accounts.api.scalars import JSON
from marketplace.api.rules import shown_rule
from marketplace.models import CandidateGroup, Skill
from matching.core.rules import Disclosure, load, skill_ids
from matching.core.suppression import Told
from matching.queries.preview import Preview, named_groups


@strawberry.type(
    name="PreviewCount",
    description=(
        "A number of people. Of fewer than ten only staff are told how many; and where such a number would follow from"
        " another, that one is hidden too."
    ),
)
class PreviewCountType:
    value: int | None = strawberry.field(description="How many; null where that is hidden.")
    at_most: int | None = strawberry.field(description="Where it is hidden: no more than this, if so much can be told.")
    exact: bool = strawberry.field(description="Whether `value` is exact; if not, it is within five in a hundred.")
    label: str = strawberry.field(description="The same for people, such as `1,204`, `fewer than 10`, `at most 53`.")


@strawberry.type(name="CriterionPreview", description="What one criterion of a rule does.")
class CriterionPreviewType:
    path: str = strawberry.field(description="Its place in the rule, as in `$.all[0]`.")
    sentence: str = strawberry.field(description="The criterion, for people.")
    fail: PreviewCountType = strawberry.field(description="How many surely fail it.")
    unknown: PreviewCountType = strawberry.field(description="Of how many it is not known.")
    alone: PreviewCountType = strawberry.field(description="How many only it keeps out.")
    gain: PreviewCountType = strawberry.field(description="How many more would be eligible without it.")


@strawberry.type(name="RuleRelaxation", description="A small change of a rule that lets more people in.")
class RuleRelaxationType:
    path: str = strawberry.field(description="The place in the rule that it changes.")
    before: str = strawberry.field(description="What stands there, for people.")
    after: str | None = strawberry.field(description="What would stand there; null: the criterion is dropped.")
    gain: PreviewCountType = strawberry.field(description="How many more would be eligible.")

    rule: JSON = strawberry.field(
        description="The whole rule after the change, as `OpportunityRevision.rule` shows it."
    )


@strawberry.type(name="EligibilityPreview", description="What a rule would do to the people there are.")
class EligibilityPreviewType:
    sentence: str = strawberry.field(description="The rule, for people.")
    eligible: PreviewCountType = strawberry.field(description="How many may be considered.")
    unknown: PreviewCountType = strawberry.field(description="Of how many a fact is missing that decides.")
    ineligible: PreviewCountType = strawberry.field(description="How many may not.")
    per_criterion: list[CriterionPreviewType] = strawberry.field(
        description="Criterion by criterion, in the order written; the first forty."
    )
    relaxations: list[RuleRelaxationType] = strawberry.field(
        description="A handful of changes that gain somebody: those first that gain most for the least given up."
    )


def shown_preview(found: Preview) -> EligibilityPreviewType:
    """With global ids in the rules. Two queries, whatever the number of relaxations."""
    rules = [load(one.rule) for one in found.relaxations]
    skills = Skill.objects.in_bulk({pk for rule in rules for pk in skill_ids(rule)})
    groups = CandidateGroup.objects.in_bulk({pk for rule in rules for _, pk in named_groups(rule)})
    return EligibilityPreviewType(
        sentence=found.sentence,
        eligible=_count(found.eligible),
        unknown=_count(found.unknown),
        ineligible=_count(found.ineligible),
        per_criterion=[
            CriterionPreviewType(
                path=one.path,
                sentence=one.sentence,
                fail=_count(one.fail),
                unknown=_count(one.unknown),
                alone=_count(one.alone),
                gain=_count(one.gain),
            )
            for one in found.per_criterion
        ],
        relaxations=[
            RuleRelaxationType(
                path=one.path,
                before=one.before,
                after=one.after,
                gain=_count(one.gain),
                rule=shown_rule(one.rule, Disclosure.STAFF, skills, groups),
            )
            for one in found.relaxations
        ],
    )


def _count(told: Told) -> PreviewCountType:
    return PreviewCountType(value=told.value, at_most=told.at_most, exact=told.exact, label=told.label)
