"""What an ONNX file holds: its inputs and outputs, its metadata, and whether everything in it may be run here.

The numbers of the fields are those of onnx.proto (https://github.com/onnx/onnx/blob/main/onnx/onnx.proto).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from math import prod

from matching.core.onnx.wire import Malformed, Value, fields, message_in, number_in, text, varints
from matching.core.scoring import InvalidModel

DOMAINS = frozenset({"", "ai.onnx", "ai.onnx.ml"})
"""Of operators: the standard's own, and its part for trees and the like. All else is code that is not in the file."""

NEWEST_OPSETS = {"": 23, "ai.onnx": 23, "ai.onnx.ml": 5}
OLDEST_OPSETS = {"": 7, "ai.onnx": 7, "ai.onnx.ml": 1}

DRAWING = frozenset(
    {"Bernoulli", "Multinomial", "RandomNormal", "RandomNormalLike", "RandomUniform", "RandomUniformLike"}
)
"""Operators that draw at random: the same person would score otherwise each time."""

DEEPEST = 8  # graphs within graphs
MOST_NODES = 100_000
MOST_ELEMENTS = 1 << 28  # of one stored tensor

_ELEMENT_TYPES = {1: "float", 6: "int32", 7: "int64", 11: "double"}


@dataclass(frozen=True, slots=True)
class Tensor:
    """An input or output. `element` is float, double, int32, int64, or another name of ours for what is none of them;
    a dimension is None where the file leaves it open. `shape` is None where it says nothing at all."""

    name: str
    element: str
    shape: tuple[int | None, ...] | None


@dataclass(frozen=True, slots=True)
class Contents:
    """`inputs` are those that have to be given: initialisers may be listed with them."""

    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]
    metadata: Mapping[str, str]
    opsets: Mapping[str, int]
    operators: frozenset[str]
    nodes: int


@dataclass(slots=True)
class _Found:
    """What the nodes of all graphs add up to."""

    operators: set[str] = field(default_factory=set)
    nodes: int = 0


def read_contents(content: bytes) -> Contents:
    """Raises `InvalidModel` for what is no ONNX file, or holds what is not run here: operators of others, functions of
    its own, weights kept in other files, random draws, training steps."""
    try:
        return _model(memoryview(content))
    except Malformed as error:
        raise InvalidModel("file", f"is not an ONNX model: {error}") from error


def _model(message: memoryview) -> Contents:
    graph: memoryview | None = None
    opsets: dict[str, int] = {}
    metadata: dict[str, str] = {}
    for number, value in fields(message):
        if number == 7:
            if graph is not None:
                raise InvalidModel("file", "holds two graphs")
            graph = message_in(value)
        elif number == 8:
            domain, version = _opset(message_in(value))
            opsets[domain] = version
        elif number == 14:
            key, said = _entry(message_in(value))
            if key in metadata:
                raise InvalidModel(f"metadata.{key}", "is there twice")
            metadata[key] = said
        elif number == 20:
            raise InvalidModel("file", "holds training steps, which are not run here")
        elif number == 25:
            raise InvalidModel("file", "defines functions of its own: have them inlined")
    if graph is None or not opsets:
        raise InvalidModel("file", "is not an ONNX model: it holds no graph of operators")
    _check_opsets(opsets)
    found = _Found()
    inputs, outputs, initialised = _graph(graph, found, depth=0)
    return Contents(
        inputs=tuple(tensor for tensor in inputs if tensor.name not in initialised),
        outputs=tuple(outputs),
        metadata=metadata,
        opsets=opsets,
        operators=frozenset(found.operators),
        nodes=found.nodes,
    )


def _check_opsets(opsets: Mapping[str, int]) -> None:
    for domain, version in sorted(opsets.items()):
        name = domain or "ai.onnx"
        if domain not in DOMAINS:
            raise InvalidModel("file", f"imports the operators of {name!r:.60}; only those of ONNX itself are run")
        if not OLDEST_OPSETS[domain] <= version <= NEWEST_OPSETS[domain]:
            limits = f"{OLDEST_OPSETS[domain]} to {NEWEST_OPSETS[domain]}"
            raise InvalidModel("file", f"is written for version {version} of {name}; {limits} are run")


def _graph(message: memoryview, found: _Found, *, depth: int) -> tuple[list[Tensor], list[Tensor], set[str]]:
    """Its inputs, its outputs, and the names that have a value already."""
    if depth > DEEPEST:
        raise InvalidModel("file", f"nests graphs more than {DEEPEST} deep")
    inputs: list[Tensor] = []
    outputs: list[Tensor] = []
    initialised: set[str] = set()
    for number, value in fields(message):
        if number == 1:
            _node(message_in(value), found, depth=depth)
        elif number == 5:
            initialised.add(_stored(message_in(value)))
        elif number == 11:
            inputs.append(_declared(message_in(value)))
        elif number == 12:
            outputs.append(_declared(message_in(value)))
        elif number == 15:
            initialised.add(_sparse(message_in(value)))
    return inputs, outputs, initialised


def _node(message: memoryview, found: _Found, *, depth: int) -> None:
    operator = domain = ""
    for number, value in fields(message):
        if number == 4:
            operator = text(value)
        elif number == 5:
            _attribute(message_in(value), found, depth=depth)
        elif number == 7:
            domain = text(value)
    if domain not in DOMAINS:
        raise InvalidModel("file", f"uses the operator {operator!r:.60} of {domain!r:.60}; only those of ONNX are run")
    if operator in DRAWING:
        raise InvalidModel("file", f"draws at random ({operator}): nobody's score would stay the same")
    found.operators.add(operator)
    found.nodes += 1
    if found.nodes > MOST_NODES:
        raise InvalidModel("file", f"has more than {MOST_NODES:,} nodes")


def _attribute(message: memoryview, found: _Found, *, depth: int) -> None:
    for number, value in fields(message):
        if number in (5, 10):
            _stored(message_in(value))
        elif number in (6, 11):
            _graph(message_in(value), found, depth=depth + 1)
        elif number in (22, 23):
            _sparse(message_in(value))


def _stored(message: memoryview) -> str:
    """The name of a tensor whose elements are all in the file."""
    name = ""
    dims: list[int] = []
    for number, value in fields(message):
        if number == 1:
            dims += [value] if isinstance(value, int) else varints(value)
        elif number == 8:
            name = text(value)
        elif number == 13 or (number == 14 and value != 0):
            raise InvalidModel("file", "keeps weights in another file: save it as one")
    if prod(dims) > MOST_ELEMENTS:
        raise InvalidModel(
            "file", f"says that {name!r:.60} has {prod(dims):,} elements; {MOST_ELEMENTS:,} are the most"
        )
    return name


def _sparse(message: memoryview) -> str:
    """The name of a sparse tensor: that of its values."""
    name = ""
    dims: list[int] = []
    for number, value in fields(message):
        if number in (1, 2):
            stored = _stored(message_in(value))
            name = stored if number == 1 else name
        elif number == 3:
            dims += [value] if isinstance(value, int) else varints(value)
    if prod(dims) > MOST_ELEMENTS:
        raise InvalidModel(
            "file", f"says that {name!r:.60} has {prod(dims):,} elements; {MOST_ELEMENTS:,} are the most"
        )
    return name


def _declared(message: memoryview) -> Tensor:
    name, element, shape = "", "something else", None
    for number, value in fields(message):
        if number == 1:
            name = text(value)
        elif number == 2:
            for kind, described in fields(message_in(value)):
                if kind == 1:
                    element, shape = _tensor_type(message_in(described))
    return Tensor(name, element, shape)


def _tensor_type(message: memoryview) -> tuple[str, tuple[int | None, ...] | None]:
    element, shape = "something else", None
    for number, value in fields(message):
        if number == 1:
            element = _ELEMENT_TYPES.get(number_in(value), "something else")
        elif number == 2:
            shape = tuple(_dimensions(message_in(value)))
    return element, shape


def _dimensions(message: memoryview) -> Iterator[int | None]:
    for number, dimension in fields(message):
        if number == 1:
            sizes = [number_in(size) for kind, size in fields(message_in(dimension)) if kind == 1]
            yield sizes[0] if sizes and sizes[0] > 0 else None


def _opset(message: memoryview) -> tuple[str, int]:
    domain, version = "", 0
    for number, value in fields(message):
        if number == 1:
            domain = text(value)
        elif number == 2:
            version = number_in(value)
    return domain, version


def _entry(message: memoryview) -> tuple[str, str]:
    parts: dict[int, Value] = dict(fields(message))
    return text(parts.get(1, memoryview(b""))), text(parts.get(2, memoryview(b"")))
