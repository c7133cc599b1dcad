"""Saving searches, changing and deleting them."""

from typing import Any

import strawberry

from accounts.api.context import Info
from accounts.api.inputs import maybe, plain
from accounts.api.nodes import public_id
from accounts.api.refusals import Keyed, mutation
from accounts.core.unset import UNSET
from accounts.errors import InvalidInput
from matching.actions import saved_searches
from matching.actions.asked import AskedFor
from matching.api.enums import AlertFrequencyEnum
from matching.api.opportunity_filter import OpportunityFilter, asked_for, refuse_what_is_never_kept
from matching.api.saved_searches import SavedSearchDeleted, SavedSearchType


@strawberry.input(
    name="SavedQueryInput", description="What is asked of opportunities, all of it; something has to be asked."
)
class SavedQueryInput:
    search: str | None = strawberry.field(default=None, description="Words, as `opportunities` takes them.")
    filter: OpportunityFilter | None = strawberry.field(
        default=None, description="A filter as `opportunities` takes it: not by state, time of posting or `mine`."
    )


@strawberry.input(description="Keeps a search of yours, and tells you of what it finds from now on.")
class SaveSearchInput(Keyed):
    query: SavedQueryInput = strawberry.field(description="What it asks for.")
    name: str | None = strawberry.field(
        default=None, description="What to call it, in at most 120 characters; by what it asks for if null."
    )
    frequency: AlertFrequencyEnum = strawberry.field(
        default=AlertFrequencyEnum.DAILY, description="How often mails tell of what was found."
    )


@strawberry.input(description="Changes what is given of a saved search; the rest stays as it is.")
class UpdateSavedSearchInput(Keyed):
    saved_search_id: strawberry.ID = strawberry.field(description="Which.")
    query: SavedQueryInput | None = maybe("What it asks for from now on, whole; not to be null.")
    name: str | None = maybe("What to call it; null: by what it asks for.")
    frequency: AlertFrequencyEnum | None = maybe("How often mails tell of what was found; not to be null.")


@strawberry.input(description="Deletes a saved search, and what it found.")
class DeleteSavedSearchInput(Keyed):
    saved_search_id: strawberry.ID = strawberry.field(description="Which.")


def _asked(query: SavedQueryInput) -> AskedFor:
    refuse_what_is_never_kept(query.filter, path="query.filter")
    return asked_for(query.filter, query.search, path="query.filter")


def _given(value: Any, field: str) -> Any:
    """What may be left out, and may not be null. Raises InvalidInput."""
    value = plain(value)
    if value is None:
        raise InvalidInput(field, "must not be null")
    return value


@strawberry.type
class SavedSearchMutation:
    @mutation(SavedSearchType, "Keep a search, to be told of what it finds. For candidates.")
    def save_search(*, info: Info, input: SaveSearchInput) -> Any:
        return saved_searches.save_search(
            actor=info.context.actor,
            query=_asked(input.query),
            frequency=input.frequency.value,
            name=input.name,
            now=info.context.now,
        )

    @mutation(SavedSearchType, "Change a search that you keep: what it asks for, its name, how often mails are sent.")
    def update_saved_search(*, info: Info, input: UpdateSavedSearchInput) -> Any:
        query = _given(input.query, "query")
        return saved_searches.update_saved_search(
            actor=info.context.actor,
            search_id=public_id(input.saved_search_id, "SavedSearch", field="savedSearchId"),
            query=query if query is UNSET else _asked(query),
            frequency=_given(input.frequency, "frequency"),
            name=plain(input.name),
            now=info.context.now,
        )

    @mutation(SavedSearchDeleted, "Delete a search that you keep, and what it found.")
    def delete_saved_search(*, info: Info, input: DeleteSavedSearchInput) -> Any:
        search_id = public_id(input.saved_search_id, "SavedSearch", field="savedSearchId")
        saved_searches.delete_saved_search(actor=info.context.actor, search_id=search_id, now=info.context.now)
        return SavedSearchDeleted(saved_search_id=input.saved_search_id)
