"""What people may ask of all that is held on them: to have it, and to have it gone."""

from datetime import datetime
from typing import Any, cast

import strawberry

from accounts.api.context import Info
from accounts.api.refusals import Keyed, mutation
from accounts.api.scalars import JSON
from marketplace.actions.persons import erase_oneself, export_oneself


@strawberry.input(description="Asks for all that is held on the one who is logged in. It is audited.")
class ExportMyDataInput(Keyed):
    pass


@strawberry.type(name="PersonalData", description="All that is held on a person.")
class PersonalData:
    document: JSON = strawberry.field(
        description="By table, each row by the names of its columns; without secrets, and without what is of others."
    )


@strawberry.input(
    description="Erases the one who is logged in: the login, the profile and all that was written by or about them."
    " What others rest on, such as placements and what was paid, stays under a pseudonym. Open applications, offers and"
    " invitations come to their end first; somebody who is at work is not erased. It cannot be taken back."
)
class EraseMeInput(Keyed):
    email: str = strawberry.field(description="The address that you log in with, to say that you mean it.")


@strawberry.type(name="PersonErasure", description="Somebody was erased. Nobody logs in as them any more.")
class PersonErasure:
    erased_at: datetime = strawberry.field(description="When.")


@strawberry.type
class PersonMutation:
    @mutation(PersonalData, "Have all that is held on you, as JSON.")
    def export_my_data(*, info: Info, input: ExportMyDataInput) -> Any:
        told = export_oneself(actor=info.context.actor, now=info.context.now)
        return PersonalData(document=cast("Any", told))

    @mutation(PersonErasure, "Have all that is held on you erased, for good.")
    def erase_me(*, info: Info, input: EraseMeInput) -> Any:
        erase_oneself(actor=info.context.actor, email=input.email, now=info.context.now)
        return PersonErasure(erased_at=info.context.now)
