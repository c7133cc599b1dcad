"""Who has read a person's data, as they are told it: which organisation, what and when; never by whom of it."""

from datetime import datetime
from typing import Any

import strawberry

from accounts.api.enums import described
from accounts.api.fields import one
from accounts.api.nodes import row_type
from accounts.api.types import OrganisationType
from accounts.models import AuditEntry
from marketplace.core.personal import PersonalField

PersonalFieldEnum = described(
    PersonalField,
    "PersonalField",
    "What of a person is open to those alone whom they turned to.",
    {
        "name": "Their name.",
        "email": "Their e-mail address.",
        "phone": "Their phone number.",
        "linkedin": "The address of their LinkedIn profile.",
        "resume": "Their résumé.",
        "experiences": "For whom they worked, when, and what it was about.",
        "vetting": "Results of checks of them.",
    },
)


@row_type(
    AuditEntry,
    name="PersonalDataRead",
    description="That somebody was shown your personal data, as the audit log has it.",
)
class PersonalDataReadType:
    organisation = one(
        "organisation",
        OrganisationType,
        "For which organisation: one of its members or programs read it. Null: Muster's own staff did.",
        optional=True,
    )
    at: datetime = strawberry.field(description="When.")

    @strawberry.field(description="What was read, in alphabetical order.")
    def fields(root: strawberry.Parent[Any]) -> list[PersonalFieldEnum]:  # type: ignore[valid-type]
        return list(root.data["fields"])
