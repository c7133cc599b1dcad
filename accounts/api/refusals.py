"""Mutations: one input, one answer, which is the thing or a typed refusal.

`@mutation` turns a plain function into a field of the schema. It makes the union and its refusal type, hands over the
actor and the moment, and answers a DomainError as a refusal. What else goes wrong is left to be masked.
"""

import inspect
from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import Decimal
from enum import Enum, StrEnum
from typing import Annotated, Any, Union
from uuid import UUID

import strawberry
from django.db.models import Model
from django.utils.module_loading import autodiscover_modules

from accounts.access import require_scope
from accounts.api.context import Info
from accounts.api.peers import together
from accounts.api.scalars import JSON
from accounts.core.scopes import Scope
from accounts.errors import DomainError

autodiscover_modules("errors")  # so that the enum below knows the refusals of all apps


def _explanation(error: type[DomainError]) -> str:
    """The class's docstring; where it has none, the sentence, which says what the code stands for."""
    own = error.__dict__.get("__doc__")
    return " ".join(inspect.cleandoc(own).split()) if own else error.sentence


def _codes() -> Any:
    errors = dict(sorted(DomainError.registry.items()))
    members: Any = StrEnum("RefusalCode", {code: code for code in errors})  # type: ignore[misc]
    enum: Any = strawberry.enum(
        members,
        name="RefusalCode",
        description="Why Muster refuses. A code keeps its meaning for ever; new ones may come.",
    )
    for value in enum.__strawberry_definition__.values:
        value.description = _explanation(errors[value.value])
    return enum


RefusalCode = _codes()


@strawberry.interface(description="An answer that says no, and why. Nothing was changed.")
class Refusal:
    code: RefusalCode = strawberry.field(description="Why, for programs.")  # type: ignore[valid-type]
    message: str = strawberry.field(description="Why, as a sentence for people.")
    field: str | None = strawberry.field(description="The input's field at fault, as a path; null where it is not one.")
    data: JSON = strawberry.field(description="What stands behind the message: limits, states, open questions.")


def plain_data(data: Any) -> Any:
    """A refusal's data as JSON: exact numbers become texts, instants and days their ISO form."""
    match data:
        case Mapping():
            return {str(key): plain_data(value) for key, value in data.items()}
        case list() | tuple() | set() | frozenset():
            return [plain_data(item) for item in data]
        case Enum():
            return data.value
        case datetime() | date():
            return data.isoformat()
        case Decimal() | UUID():
            return str(data)
    return data


def camel(path: str) -> str:
    """A field's path as the API spells it: `pay_bands[0].minimum` → `payBands[0].minimum`."""
    head, *rest = path.split("_")
    return head + "".join(part[:1].upper() + part[1:] for part in rest)


def values_of(error: DomainError) -> dict[str, Any]:
    """Code, message, field and data of a refusal, ready for its GraphQL type."""
    data = plain_data(error.data)
    field = data.get("field")
    if isinstance(field, str):
        data["field"] = field = camel(field)
    message = error.message
    if field is not None and str(error.data["field"]) != field:
        message = message.replace(str(error.data["field"]), field, 1)
    return {"code": RefusalCode(error.code), "message": message, "field": field, "data": data}


@strawberry.input(description="What every mutation's input takes.")
class Keyed:
    idempotency_key: str | None = strawberry.field(
        default=None,
        description=(
            "A key of your own making, at most 120 characters, for a request that may be repeated: within 24 hours the"
            " same key and input give the same data and do the work once. Another input under the same key is refused."
            " An operation with a key has exactly one mutation. Needs a login."
        ),
    )


def _pascal(name: str) -> str:
    return "".join(part.capitalize() for part in name.split("_"))


def mutation(returns: Any, description: str, *, scope: Scope | None = None) -> Callable[[Callable[..., Any]], Any]:
    """Make `def accept_offer(*, info, input) -> row` the field `acceptOffer(input) : AcceptOfferPayload`.

    `returns` is the GraphQL type of the thing. The function translates its input, calls one action and returns what
    that returned. `scope` is what a service token needs for it; without one it is for people alone.
    """

    def decorate(function: Callable[..., Any]) -> Any:
        name = _pascal(function.__name__)
        input_type = function.__annotations__["input"]
        refused: Any = strawberry.type(
            type(f"{name}Refused", (Refusal,), {"__module__": function.__module__}),
            name=f"{name}Refused",
            description="The refusal of this mutation. Nothing was changed.",
        )
        payload = Annotated[
            Union[returns, refused],  # noqa: UP007 - built at run time
            strawberry.union(f"{name}Payload", description="The thing, or why not."),
        ]

        def resolve(info: Info, input: Any) -> Any:
            try:
                if info.context.refusal is not None:
                    raise info.context.refusal
                require_scope(info.context.actor, scope)
                answer = function(info=info, input=input)
            except DomainError as error:
                info.context.refused = error
                return refused(**values_of(error))
            info.context.forget()
            # Read anew: the action may have returned a row that knows its neighbours as they were before.
            return (
                together([type(answer)._default_manager.get(pk=answer.pk)])[0] if isinstance(answer, Model) else answer
            )

        resolve.__annotations__ = {
            "info": Info,
            "input": Annotated[input_type, strawberry.argument(description="What to do, in one object.")],
            "return": payload,
        }
        return strawberry.mutation(resolver=resolve, name=None, description=description)

    return decorate
