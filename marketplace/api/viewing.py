"""Who looks at a row, as the types of the marketplace ask it."""

from typing import Any

from accounts.api.context import Context, PersonalData
from accounts.api.nodes import public_id
from accounts.api.peers import batched, related
from accounts.errors import NotPermitted
from marketplace.access import access_candidate, access_opportunity, contacts_opened_by, own_candidate
from marketplace.core.personal import PersonalField
from marketplace.models import Candidate, Opportunity
from matching.core.rules import Disclosure


def opportunity_of(row: Any) -> Opportunity:
    opportunity: Opportunity = row if isinstance(row, Opportunity) else related(row, "opportunity")
    return opportunity


def is_inside(context: Context, row: Any) -> bool:
    """Whether the actor belongs to the organisation that posted the opportunity behind a row, or is staff."""
    return context.actor.is_staff or context.reads(opportunity_of(row).posting_organisation_id)


def pair_asked_about(context: Context, opportunity: str, candidate: str | None) -> tuple[Opportunity, Candidate]:
    """Of global ids; the candidate is the actor if none is named. Raises InvalidInput, NotFound, NotPermitted."""
    actor = context.actor
    asked = access_opportunity(actor, public_id(opportunity, "Opportunity", field="opportunity"))
    if candidate is None:
        person = own_candidate(actor)
    else:
        person = access_candidate(actor, public_id(candidate, "Candidate", field="candidate"))
    if not is_own(context, person) and not context.reads(asked.posting_organisation_id):
        # A recruiter could otherwise read facts off other organisations' rules.
        raise NotPermitted("judge candidates for this opportunity")
    return asked, person


def is_own(context: Context, candidate: Candidate) -> bool:
    """Whether the actor is that candidate."""
    return candidate.user_id is not None and candidate.user_id == context.actor.user_id


def audience(context: Context, row: Any) -> Disclosure:
    if context.actor.is_staff:
        return Disclosure.STAFF
    return Disclosure.ORGANISATION if is_inside(context, row) else Disclosure.PUBLIC


def sees_contacts(context: Context, candidate: Candidate) -> bool:
    """Whether name, contacts and résumé are open to the actor; one statement for all candidates loaded together."""
    return _opened_by(context, candidate) is not _SHUT


def reads(context: Context, candidate: Candidate, field: PersonalField) -> bool:
    """Whether the actor is shown something personal of a candidate. That they are is logged with the answer."""
    organisation_id = _opened_by(context, candidate)
    if organisation_id is _SHUT:
        return False
    if not is_own(context, candidate):
        read = context.read_of.get(candidate.pk)
        if read is None:
            read = context.read_of[candidate.pk] = PersonalData(organisation_id)
        read.fields.add(field.value)
    return True


_SHUT: Any = object()


def _opened_by(context: Context, candidate: Candidate) -> Any:
    """The organisation (inner id) by which it is open, None where it needs none, `_SHUT` where it is not open."""

    def load(rows: list[Candidate]) -> dict[int, int | None]:
        return contacts_opened_by(context.actor, [row.pk for row in rows])

    return batched(candidate, ("contacts", context.actor.user_id), load, _SHUT)
