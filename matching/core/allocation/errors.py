"""What is wrong with an allocation problem: every refusal states the fact and carries its data."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, ClassVar


class InvalidAllocation(ValueError):
    """A problem, policy or snapshot that cannot be solved as it stands.

    `code` is stable; `data` is JSON-able and names what is at fault, so that an edge can refuse with both.
    """

    code: ClassVar[str] = "INVALID_ALLOCATION"
    message: ClassVar[str] = "the allocation problem is invalid"

    def __init__(self, **data: Any) -> None:
        self.data: dict[str, Any] = data
        super().__init__(self.message.format(**data))


class NotAnInteger(InvalidAllocation):
    code = "NOT_AN_INTEGER"
    message = "{field} must hold integers of at most 64 bits"


class NegativeNumber(InvalidAllocation):
    code = "NEGATIVE_NUMBER"
    message = "{field} is negative at {at}"


class DuplicateKey(InvalidAllocation):
    code = "DUPLICATE_KEY"
    message = "{field} holds the key {key} twice"


class DuplicateEdge(InvalidAllocation):
    code = "DUPLICATE_EDGE"
    message = "opportunity {opportunity} and candidate {candidate} are joined twice"


class UnknownIndex(InvalidAllocation):
    code = "UNKNOWN_INDEX"
    message = "{field} names position {index}, which does not exist"


class UnknownKey(InvalidAllocation):
    code = "UNKNOWN_KEY"
    message = "{field} names the key {key}, which does not exist"


class ShareTooLarge(InvalidAllocation):
    code = "SHARE_TOO_LARGE"
    message = "{share} of {seats} seats of opportunity {opportunity} cannot be reserved"


class RaggedEdges(InvalidAllocation):
    code = "RAGGED_EDGES"
    message = "the columns of the edges differ in length: {lengths}"


class ValuesTooLarge(InvalidAllocation):
    code = "VALUES_TOO_LARGE"
    message = "an edge's value of {value} exceeds {limit}, above which sums would overflow for a problem of this size"


class InvalidPolicy(InvalidAllocation):
    code = "INVALID_POLICY"
    message = "the policy's weights {weights} must be integers from 0 that sum to 1000"


class ValueOutOfRange(InvalidAllocation):
    code = "VALUE_OUT_OF_RANGE"
    message = "{field} must be an integer between 0 and {limit}"


class InfeasiblePin(InvalidAllocation):
    """`reason`: `no_edge`, `no_seat`, `candidate_pinned_twice`, `excluded`, `hours`, `share` or `limit`."""

    code = "INFEASIBLE_PIN"
    message = "candidate {candidate} cannot be pinned to opportunity {opportunity}: {reason}"


class MalformedSnapshot(InvalidAllocation):
    code = "MALFORMED_SNAPSHOT"
    message = "the snapshot cannot be read: {problem}"


@contextmanager
def well_formed() -> Iterator[None]:
    """Around the taking apart of stored JSON: what its form makes fail is a MalformedSnapshot, a refusal stays one."""
    try:
        yield
    except (KeyError, TypeError, AttributeError) as error:
        raise MalformedSnapshot(problem=f"{type(error).__name__}: {error}") from error
    except InvalidAllocation:
        raise
    except ValueError as error:
        raise MalformedSnapshot(problem=str(error)) from error


class NothingToReplay(InvalidAllocation):
    code = "NOTHING_TO_REPLAY"
    message = "a run that is {state} has nothing to replay"


class InputsNotStored(InvalidAllocation):
    code = "INPUTS_NOT_STORED"
    message = "what it read was not stored with it"


class AnotherSolver(InvalidAllocation):
    code = "ANOTHER_SOLVER"
    message = "it was solved by {solver}, this is {present}"


class MalformedInstance(InvalidAllocation):
    code = "MALFORMED_INSTANCE"
    message = "the instance cannot be read: {problem}"


class AmbiguousInstance(InvalidAllocation):
    code = "AMBIGUOUS_INSTANCE"
    message = "the instance can be read in two ways: {problem}"


class RestrictedMarket(InvalidAllocation):
    code = "RESTRICTED_MARKET"
    message = "this is for markets of one seat a person, without limits or shares"
