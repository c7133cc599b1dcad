"""What a query may cost, found in one pass over the document before it is validated.

Every fragment is measured once, however often it is spread: the stock limiters walk each spread anew, so that thirty
lines of fragments cost them 2^30 steps. Counts are capped, so that they stay small integers.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    GraphQLField,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLSchema,
    InlineFragmentNode,
    IntValueNode,
    OperationDefinitionNode,
    SelectionSetNode,
    VariableNode,
    get_named_type,
)

from accounts.api.connections import DEFAULT_FIRST, LARGEST_FIRST

MAX_DEPTH = 12
MAX_ALIASES = 50
MAX_TOKENS = 2_000
MAX_COST = 20_000
MAX_DIRECTIVES = 50
MAX_INTROSPECTION_DEPTH = 16
MAX_INTROSPECTION_LISTS = 3
"""How often introspection may go from types to their fields and on: each step multiplies by the size of the schema."""
MAX_COMPARISONS = 3_000
"""Pairs of fields, or of fragments, that validation compares because they answer under one name, some 7 µs each."""

HEAVY = {
    "opportunities": 10,
    "candidates": 10,
    "matches": 10,
    "recommendations": 20,
    "eligibilityPreview": 100,
    "openCallSize": 100,
    "whatIf": 200,
    "whatIfSuggestions": 500,
}
"""Of `Query`: what is more work than a row, in fields that would take as long to resolve."""

_CAP = 10**9
_INTROSPECTION = frozenset({"__schema", "__type"})
_INTROSPECTION_LISTS = frozenset({"fields", "inputFields", "interfaces", "possibleTypes"})


@dataclass(frozen=True, slots=True)
class Measure:
    """Of a selection: its cost in fields resolved, how deep it is, how many aliases, directives and lists of types."""

    cost: int = 0
    depth: int = 0
    aliases: int = 0
    directives: int = 0
    lists: int = 0

    def beside(self, other: "Measure") -> "Measure":
        return Measure(
            min(self.cost + other.cost, _CAP),
            max(self.depth, other.depth),
            min(self.aliases + other.aliases, _CAP),
            min(self.directives + other.directives, _CAP),
            max(self.lists, other.lists),
        )


_LEAF = Measure(cost=1, depth=1)


class _Measuring:
    def __init__(self, schema: GraphQLSchema, document: DocumentNode, variables: Mapping[str, Any]) -> None:
        self.schema = schema
        self.variables = variables
        self.fragments = {
            node.name.value: node for node in document.definitions if isinstance(node, FragmentDefinitionNode)
        }
        self.measured: dict[str, Measure] = {}
        self.open: set[str] = set()

    def selections(self, selections: SelectionSetNode | None, parent: Any) -> Measure:
        total = Measure()
        for node in selections.selections if selections else ():
            if isinstance(node, FieldNode):
                found = self.field(node, parent)
            elif isinstance(node, InlineFragmentNode):
                condition = node.type_condition
                inner = self.schema.get_type(condition.name.value) if condition else parent
                found = self.selections(node.selection_set, inner)
            else:
                found = self.fragment(node) if isinstance(node, FragmentSpreadNode) else Measure()
            total = total.beside(found)
            if node.directives:
                total = total.beside(Measure(directives=len(node.directives)))
        return total

    def fragment(self, spread: FragmentSpreadNode) -> Measure:
        name = spread.name.value
        if name in self.measured:
            return self.measured[name]
        definition = self.fragments.get(name)
        if definition is None or name in self.open:  # unknown, or a circle: validation names it
            return Measure()
        self.open.add(name)
        inner = self.schema.get_type(definition.type_condition.name.value)
        measure = self.selections(definition.selection_set, inner)
        self.open.discard(name)
        self.measured[name] = measure
        return measure

    def field(self, node: FieldNode, parent: Any) -> Measure:
        name = node.name.value
        if node.selection_set is None and node.alias is None and name not in HEAVY:
            return _LEAF
        declared = None
        if isinstance(parent, GraphQLObjectType | GraphQLInterfaceType):
            declared = parent.fields.get(name)
        type_ = get_named_type(declared.type) if declared else self._meta(name)
        inner = self.selections(node.selection_set, type_)
        times = self.page_size(node, declared)
        own = HEAVY.get(name, 1) if parent is self.schema.query_type else 1
        return Measure(
            cost=min(own + times * inner.cost, _CAP),
            depth=inner.depth + 1,
            aliases=min(inner.aliases + (node.alias is not None), _CAP),
            directives=inner.directives,
            lists=inner.lists + (name in _INTROSPECTION_LISTS and self._is_meta(parent)),
        )

    def page_size(self, node: FieldNode, declared: GraphQLField | None) -> int:
        """How many rows a connection is asked for. What is no connection counts once."""
        if declared is None or "first" not in declared.args:
            return 1
        given = next((argument.value for argument in node.arguments or () if argument.name.value == "first"), None)
        asked: Any = None
        if isinstance(given, IntValueNode):
            asked = int(given.value) if len(given.value) < 10 else LARGEST_FIRST
        elif isinstance(given, VariableNode):
            asked = self.variables.get(given.name.value)
        if isinstance(asked, bool) or not isinstance(asked, int):
            return DEFAULT_FIRST
        return min(max(asked, 1), LARGEST_FIRST)

    def _meta(self, name: str) -> Any:
        return self.schema.get_type({"__schema": "__Schema", "__type": "__Type"}.get(name, ""))

    @staticmethod
    def _is_meta(parent: Any) -> bool:
        return isinstance(parent, GraphQLObjectType) and parent.name.startswith("__")


def measure(schema: GraphQLSchema, document: DocumentNode, variables: Mapping[str, Any]) -> tuple[Measure, Measure]:
    """Of the heaviest operation: its ordinary selections, and its introspection."""
    measuring = _Measuring(schema, document, variables)
    worst, worst_meta = Measure(), Measure()
    for operation in document.definitions:
        if not isinstance(operation, OperationDefinitionNode):
            continue
        defaults = {
            one.variable.name.value: int(one.default_value.value)
            for one in operation.variable_definitions or ()
            if isinstance(one.default_value, IntValueNode) and len(one.default_value.value) < 10
        }
        measuring.variables = {**defaults, **variables}
        measuring.measured = {}
        root = schema.get_root_type(operation.operation)
        total, meta = Measure(directives=len(operation.directives or ())), Measure()
        for node in operation.selection_set.selections:
            single = SelectionSetNode(selections=(node,))
            found = measuring.selections(single, root)
            if isinstance(node, FieldNode) and node.name.value in _INTROSPECTION:
                meta = meta.beside(found)
            else:
                total = total.beside(found)
        worst, worst_meta = _worse(worst, total), _worse(worst_meta, meta)
    return worst, worst_meta


def _worse(one: Measure, other: Measure) -> Measure:
    return Measure(*(max(getattr(one, name), getattr(other, name)) for name in Measure.__slots__))


def excesses(measured: tuple[Measure, Measure]) -> Iterator[GraphQLError]:
    """What is too much, each with its limit."""
    total, meta = measured
    for name, found, limit in (
        ("cost", total.cost, MAX_COST),
        ("depth", total.depth, MAX_DEPTH),
        ("aliases", total.aliases + meta.aliases, MAX_ALIASES),
        ("directives", total.directives + meta.directives, MAX_DIRECTIVES),
        ("cost", meta.cost, MAX_COST),
        ("depth of introspection", meta.depth, MAX_INTROSPECTION_DEPTH),
        ("lists within introspection", max(meta.lists, total.lists), MAX_INTROSPECTION_LISTS),
    ):
        if found > limit:
            yield too_much(name, limit, found=min(found, _CAP))


def too_much(name: str, limit: int, **details: int) -> GraphQLError:
    message = f"The query's {name} must be at most {limit}."
    return GraphQLError(message, extensions={"code": "QUERY_TOO_LARGE", "limit": limit, **details})


def comparisons(document: DocumentNode, limit: int = MAX_COMPARISONS) -> int:
    """How many pairs validation will compare to find out whether fields of one name can be merged; it stops counting
    beyond the limit. For documents whose cost is within bounds: fragments in circles count as too many."""
    fragments = {node.name.value: node for node in document.definitions if isinstance(node, FragmentDefinitionNode)}
    merged = [[node.selection_set] for node in document.definitions if isinstance(node, OperationDefinitionNode)]
    pairs = steps = 0
    while merged:
        by_name: dict[str, list[SelectionSetNode | None]] = {}
        spread: set[str] = set()
        open_ = list(merged.pop())
        while open_:
            for node in open_.pop().selections:
                steps += 1
                if isinstance(node, FieldNode):
                    by_name.setdefault((node.alias or node.name).value, []).append(node.selection_set)
                elif isinstance(node, InlineFragmentNode):
                    open_.append(node.selection_set)
                elif isinstance(node, FragmentSpreadNode) and node.name.value not in spread:
                    spread.add(node.name.value)
                    if node.name.value in fragments:
                        open_.append(fragments[node.name.value].selection_set)
        pairs += sum(_pairs(len(same)) for same in by_name.values()) + _pairs(len(spread))
        if pairs > limit or steps > MAX_COST:
            return limit + 1
        merged += [inner for same in by_name.values() if (inner := [one for one in same if one is not None])]
    return pairs


def _pairs(number: int) -> int:
    return number * (number - 1) // 2
