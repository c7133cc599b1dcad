"""Parsing and validating once per document, and carrying keyed operations out once."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from django.conf import settings
from django.db import InterfaceError, OperationalError, transaction
from graphql import (
    DocumentNode,
    ExecutionResult,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    InlineFragmentNode,
    NoSchemaIntrospectionCustomRule,
    OperationDefinitionNode,
    OperationType,
    SelectionSetNode,
    VariableNode,
    get_operation_ast,
    parse,
    print_ast,
    specified_rules,
    validate,
    value_from_ast_untyped,
)
from strawberry.extensions import SchemaExtension
from strawberry.schema.validation_rules.maybe_null import MaybeNullValidationRule
from strawberry.schema.validation_rules.one_of import OneOfInputValidationRule

from accounts.actions import idempotency
from accounts.api.context import Context, PersonalData
from accounts.errors import DomainError, InvalidInput
from accounts.field_keys import blind
from config.graphql_errors import cause_of, formatted
from config.graphql_limits import (
    MAX_COMPARISONS,
    MAX_COST,
    MAX_TOKENS,
    Measure,
    comparisons,
    excesses,
    measure,
    too_much,
)
from marketplace.actions.personal_reads import log_personal_reads

RULES = (*specified_rules, MaybeNullValidationRule, OneOfInputValidationRule)
CACHED_DOCUMENTS = 512
MAX_FAULTS = 10
"""After so many nobody reads on, and each takes time: names that are like an unknown one are looked for, say."""


def parsed(query: str) -> DocumentNode:
    """Raises GraphQLError."""
    found = _parsed(query)
    if isinstance(found, GraphQLError):
        raise found
    return found


@lru_cache(maxsize=CACHED_DOCUMENTS)
def _parsed(query: str) -> DocumentNode | GraphQLError:
    try:
        return parse(query, max_tokens=MAX_TOKENS)
    except GraphQLError as error:
        return error.with_traceback(None)
    except RecursionError:
        return GraphQLError("The document is nested too deeply.")


@lru_cache(maxsize=CACHED_DOCUMENTS)
def _validated(schema: Any, document: DocumentNode, is_stranger: bool) -> tuple[GraphQLError, ...]:
    rules = (*RULES, NoSchemaIntrospectionCustomRule) if is_stranger else RULES
    try:
        if comparisons(document) > MAX_COMPARISONS:
            return (too_much("comparisons of fields under one name", MAX_COMPARISONS),)
        return tuple(validate(schema, document, rules, max_errors=MAX_FAULTS, hide_suggestions=is_stranger))
    except RecursionError:
        return (GraphQLError("The document is nested too deeply."),)


class Parsing(SchemaExtension):
    """Documents and the outcome of validating them come from caches; limits are looked at first, for some rules of
    validation are slow where these are not, and anew each time, for page sizes come from variables."""

    def on_parse(self) -> Iterator[None]:
        if self.execution_context.query:
            self.execution_context.graphql_document = parsed(self.execution_context.query)
        yield

    def on_validate(self) -> Iterator[None]:
        context = self.execution_context
        if context.graphql_document is not None and context.pre_execution_errors is None:
            context.pre_execution_errors = faults(
                context.schema._schema,
                context.graphql_document,
                context.variables or {},
                context._provided_operation_name,
                context.context,
            )
        yield


def faults(
    schema: Any,
    document: DocumentNode,
    variables: Mapping[str, Any],
    operation_name: str | None,
    context: Context | None = None,
) -> list[GraphQLError]:
    """Why a document is not executed, limits first; none where it may be. Without a context: where staff ask."""
    measured = _measured(schema, document, variables, context) if context else measure(schema, document, variables)
    found = list(excesses(measured)) or _unnamed(document, operation_name)
    return found or list(_validated(schema, document, context is not None and is_stranger(context)))


def is_stranger(context: Context) -> bool:
    """Whether the schema is none of their business: what it has they know from its documentation, or not at all."""
    return not (settings.GRAPHQL_SCHEMA_IS_PUBLIC or context.actor.is_staff)


def cost_of(schema: Any, query: str, variables: Mapping[str, Any], context: Context) -> int:
    """What a request takes from its budget; one, where it cannot even be read, or will be refused for what it costs."""
    try:
        total, meta = _measured(schema, parsed(query), variables, context)
    except GraphQLError:
        return 1
    return max(1, total.cost + meta.cost) if total.cost <= MAX_COST and meta.cost <= MAX_COST else 1


def _measured(
    schema: Any, document: DocumentNode, variables: Mapping[str, Any], context: Context
) -> tuple[Measure, Measure]:
    """Once a request."""
    return context.remembered("measure", lambda: measure(schema, document, variables))


def _unnamed(document: DocumentNode, operation_name: str | None) -> list[GraphQLError]:
    """Of several operations the request names one. Otherwise the first would be carried out, whichever was meant."""
    operations = [node for node in document.definitions if isinstance(node, OperationDefinitionNode)]
    if operation_name is None and len(operations) > 1:
        return [GraphQLError("The document has several operations: `operationName` must name one.")]
    return []


class KeyedOperations(SchemaExtension):
    """An operation whose mutation has an `idempotencyKey` is one transaction, its answer included.

    What the key forbids is answered by the mutation itself, as a refusal of its own type. Every answer is kept from the
    moment that execution begins, failures too. It has not begun where variables or the input cannot be used; nothing is
    kept then, nor where only the database was at fault.
    """

    def on_execute(self) -> Iterator[None]:
        context = self.execution_context
        request = context.context
        begun = None
        try:
            keyed = keyed_operation(context.graphql_document, context.variables or {}, context.operation_name)
            if keyed is not None:
                begun = idempotency.begin(
                    actor=request.actor,
                    key=keyed.key,
                    operation=keyed.operation,
                    fingerprint=keyed.fingerprint,
                    now=request.now,
                )
        except DomainError as refusal:
            request.refusal = refusal
        if begun is None:
            yield
        elif begun.answer is not None:
            request.read_of |= _reads_from(begun.answer.get("reads", {}))
            errors: list[GraphQLError] = [Repeated(error) for error in begun.answer.get("errors", ())]
            context.result = ExecutionResult(data=json.loads(begun.answer["data"]), errors=errors or None)
            yield
        elif begun.record is not None:
            yield from self._once(begun.record)

    def _once(self, record: Any) -> Iterator[None]:
        context = self.execution_context
        request = context.context
        is_done = False
        try:
            with transaction.atomic():
                try:
                    idempotency.hold(record)
                except DomainError as refusal:
                    request.refusal = refusal
                yield
                result = context.result
                if result is None or result.errors or result.data is None:
                    # Half an answer is none: what was done is taken back with it.
                    transaction.set_rollback(True)
                    if result is not None:
                        result.data = None
                elif request.refusal is None and not isinstance(request.refused, InvalidInput):
                    # As text: the column would put the fields in another order.
                    data = json.dumps(result.data, separators=(",", ":"))
                    idempotency.finish(record, {"data": data, "reads": _reads_to(request.read_of)})
                    is_done = True
            if result is not None and _is_final(result.errors):
                errors = [formatted(error, request.actor.request_id) for error in result.errors or ()]
                idempotency.settle(record, {"data": "null", "errors": errors})
                is_done = True
        finally:
            if not is_done:
                idempotency.release(record)


class PersonalReads(SchemaExtension):
    """What an answer shows of people is logged before it is sent: in the transaction of a keyed operation, in one of
    its own otherwise. An answer that cannot be logged is not sent. One that is repeated is logged again."""

    def on_execute(self) -> Iterator[None]:
        yield
        context = self.execution_context
        log_reads(context.context, context.graphql_document, context.operation_name)


def log_reads(context: Context, document: DocumentNode | None, operation_name: str | None) -> None:
    """Log what was read of people for an answer, through which fields of the operation."""
    if not context.read_of:
        return
    operation = get_operation_ast(document, operation_name) if document else None
    fragments = fragments_of(document) if document else {}
    through = {field.name.value for field in _fields(operation.selection_set, fragments)} if operation else set()
    log_personal_reads(
        actor=context.actor,
        reads={pk: (read.organisation_id, read.fields) for pk, read in context.read_of.items()},
        through=through - {"__typename"},
        now=context.now,
    )


def _reads_to(reads: Mapping[int, PersonalData]) -> dict[str, Any]:
    return {str(pk): [read.organisation_id, sorted(read.fields)] for pk, read in reads.items()}


def _reads_from(kept: Mapping[str, Any]) -> dict[int, PersonalData]:
    return {int(pk): PersonalData(organisation_id, set(fields)) for pk, (organisation_id, fields) in kept.items()}


class Repeated(GraphQLError):
    """An error as it was told the first time."""

    def __init__(self, told: dict[str, Any]) -> None:
        super().__init__(told["message"], path=told.get("path"), extensions=told["extensions"])
        self.told = told


def _is_final(errors: Iterable[GraphQLError] | None) -> bool:
    """Whether these would be told again, and not be tried again: execution had begun, and none says that the database
    was away, too slow or in a deadlock, which says nothing of the request."""
    found = list(errors or ())
    passing = (OperationalError, InterfaceError)
    return any(error.path for error in found) and not any(isinstance(cause_of(error), passing) for error in found)


@dataclass(frozen=True)
class Keyed:
    """The mutation of a keyed operation. Equal fingerprints ask for the same work and the same answer."""

    key: str
    operation: str
    fingerprint: str


def keyed_operation(
    document: DocumentNode | None, variables: Mapping[str, Any], operation_name: str | None
) -> Keyed | None:
    """What an operation with an idempotency key asks for; None for one without. Raises InvalidInput."""
    operation = get_operation_ast(document, operation_name) if document else None
    if document is None or operation is None or operation.operation is not OperationType.MUTATION:
        return None
    fragments = fragments_of(document)
    defaults = {
        one.variable.name.value: value_from_ast_untyped(one.default_value)
        for one in operation.variable_definitions or ()
        if one.default_value is not None
    }
    given = {**defaults, **variables}
    fields = [field for field in _fields(operation.selection_set, fragments) if field.name.value != "__typename"]
    inputs = [_input(field, given) for field in fields]
    keys = [key for one in inputs if isinstance(key := one.get("idempotencyKey"), str)]
    if not keys:
        return None
    if len(fields) != 1:
        raise InvalidInput("idempotencyKey", "asks for an operation with exactly one mutation")
    answer = print_ast(fields[0]) + "".join(print_ast(fragments[name]) for name in sorted(fragments))
    asked = {
        "field": fields[0].name.value,
        "input": {name: value for name, value in inputs[0].items() if name != "idempotencyKey"},
        "answer": answer,
        "variables": {name: value for name, value in given.items() if name not in _named(fields[0].arguments)},
    }
    text = json.dumps(asked, sort_keys=True, default=str)
    return Keyed(keys[0], fields[0].name.value, blind("idempotency", [text]).hex())


def fragments_of(document: DocumentNode) -> dict[str, FragmentDefinitionNode]:
    return {node.name.value: node for node in document.definitions if isinstance(node, FragmentDefinitionNode)}


def _fields(selections: SelectionSetNode, fragments: Mapping[str, FragmentDefinitionNode]) -> Iterator[FieldNode]:
    """The fields at the root, through fragments. The document is valid, so these have no circles."""
    for node in selections.selections:
        if isinstance(node, FieldNode):
            yield node
        elif isinstance(node, InlineFragmentNode):
            yield from _fields(node.selection_set, fragments)
        elif isinstance(node, FragmentSpreadNode):
            yield from _fields(fragments[node.name.value].selection_set, fragments)


def _input(field: FieldNode, variables: Mapping[str, Any]) -> dict[str, Any]:
    node = next((argument.value for argument in field.arguments or () if argument.name.value == "input"), None)
    value = value_from_ast_untyped(node, dict(variables)) if node is not None else None
    return value if isinstance(value, dict) else {}


def _named(arguments: Any) -> set[str]:
    """The variables that are an argument as a whole: their values are in the input already."""
    return {one.value.name.value for one in arguments or () if isinstance(one.value, VariableNode)}
