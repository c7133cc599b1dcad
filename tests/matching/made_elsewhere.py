"""ONNX models as others would make them, and as they should not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from onnx import AttributeProto, GraphProto, ModelProto, NodeProto, TensorProto, helper, numpy_helper

from matching.core.features import FEATURES as KNOWN
from matching.core.scoring import HEADS
from matching.onnx.checking import CheckLimits

FEATURES = ("required_skills", "preferred_skills", "experience", "timezone_fit", "hours_fit")
LOG_ODDS = {"muster.outputs": "log-odds"}
LIMITS = CheckLimits(file_megabytes=5, seconds=20, megabytes=2048, ms_per_thousand_rows=200, run_seconds=5)

PAIRS = None  # the dimension that is left open


def number(name: str, value: Any, kind: str = "f") -> TensorProto:
    return numpy_helper.from_array(np.asarray(value, dtype=kind), name)


def model(
    nodes: Sequence[NodeProto],
    weights: Sequence[TensorProto] = (),
    *,
    features: Sequence[str] = FEATURES,
    inputs: Sequence[Any] | None = None,
    outputs: Sequence[Any] | None = None,
    metadata: Mapping[str, str] | None = None,
    opsets: Mapping[str, int] | None = None,
) -> ModelProto:
    """A model whose input is one matrix `x`, unless others are given, and whose outputs are the three heads."""
    if inputs is None:
        inputs = [helper.make_tensor_value_info("x", TensorProto.FLOAT, [PAIRS, len(features)])]
        metadata = {"muster.features": ", ".join(features), **(LOG_ODDS if metadata is None else metadata)}
    if outputs is None:
        outputs = [helper.make_tensor_value_info(head, TensorProto.FLOAT, [PAIRS, 1]) for head in HEADS]
    graph = helper.make_graph(list(nodes), "graph", list(inputs), list(outputs), list(weights))
    imports = [helper.make_opsetid(domain, version) for domain, version in (opsets or {"": 17}).items()]
    made = helper.make_model(graph, opset_imports=imports, ir_version=8)
    helper.set_model_props(made, dict(LOG_ODDS if metadata is None else metadata))
    return made


def _may_be_weighed(feature: str, head: str) -> bool:
    return feature not in KNOWN or head in KNOWN[feature].heads


def linear(
    weights: Mapping[str, Mapping[str, int]],
    intercepts: Mapping[str, int],
    features: Sequence[str] = FEATURES,
    **more: Any,
) -> bytes:
    """Weights in thousandths of log-odds, as `LinearModel` has them; in doubles, so that sums are exact."""
    nodes, stored = [], []
    for head in HEADS:
        column = [[weights[head].get(name, 0) / 1e6] for name in features]
        stored += [number(f"{head}_weights", column, "d"), number(f"{head}_start", [intercepts[head] / 1e6], "d")]
        nodes += [
            helper.make_node("MatMul", ["x", f"{head}_weights"], [f"{head}_sum"]),
            helper.make_node("Add", [f"{head}_sum", f"{head}_start"], [head]),
        ]
    inputs = [helper.make_tensor_value_info("x", TensorProto.DOUBLE, [PAIRS, len(features)])]
    outputs = [helper.make_tensor_value_info(head, TensorProto.DOUBLE, [PAIRS, 1]) for head in HEADS]
    metadata = {"muster.features": ",".join(features), **LOG_ODDS}
    return model(nodes, stored, inputs=inputs, outputs=outputs, metadata=metadata, **more).SerializeToString()


def network(features: Sequence[str] = FEATURES, *, hidden: int = 16, seed: int = 1, scale: float = 400.0) -> bytes:
    """A layer of tanh for each head. Its weights mostly say that more is better, as those of a trained one would."""
    draw = np.random.default_rng(seed)
    nodes, weights = [], []
    for head in HEADS:
        first = (draw.normal(size=(len(features), hidden)) + 0.5) / scale
        first[[place for place, name in enumerate(features) if not _may_be_weighed(name, head)]] = 0
        weights += [
            number(f"{head}_first", first),
            number(f"{head}_start", draw.normal(size=hidden) - 0.5),
            number(f"{head}_last", np.abs(draw.normal(size=(hidden, 1)))),
        ]
        nodes += [
            helper.make_node("Gemm", ["x", f"{head}_first", f"{head}_start"], [f"{head}_inner"]),
            helper.make_node("Tanh", [f"{head}_inner"], [f"{head}_bent"]),
            helper.make_node("MatMul", [f"{head}_bent", f"{head}_last"], [head]),
        ]
    return model(nodes, weights, features=features).SerializeToString()


def trees(features: Sequence[str] = FEATURES, *, count: int = 30, depth: int = 4, seed: int = 1) -> bytes:
    """An ensemble of full trees for each head, whose leaves are higher the more often a path went right."""
    draw = np.random.default_rng(seed)
    nodes = [_ensemble(head, features, draw, count, depth) for head in HEADS]
    return model(nodes, features=features, opsets={"": 17, "ai.onnx.ml": 3}).SerializeToString()


def _ensemble(head: str, features: Sequence[str], draw: np.random.Generator, count: int, depth: int) -> NodeProto:
    allowed = [place for place, name in enumerate(features) if _may_be_weighed(name, head)]
    inner, size = 2**depth - 1, 2 ** (depth + 1) - 1
    told: dict[str, list[Any]] = {name: [] for name in (
        "nodes_treeids", "nodes_nodeids", "nodes_featureids", "nodes_values", "nodes_modes", "nodes_truenodeids",
        "nodes_falsenodeids", "target_treeids", "target_nodeids", "target_ids", "target_weights",
    )}  # fmt: skip
    for tree in range(count):
        for node in range(size):
            is_leaf = node >= inner
            told["nodes_treeids"].append(tree)
            told["nodes_nodeids"].append(node)
            told["nodes_featureids"].append(0 if is_leaf else int(draw.choice(allowed)))
            told["nodes_values"].append(0.0 if is_leaf else float(draw.integers(100, 900)))
            told["nodes_modes"].append("LEAF" if is_leaf else "BRANCH_LEQ")
            told["nodes_truenodeids"].append(0 if is_leaf else 2 * node + 1)
            told["nodes_falsenodeids"].append(0 if is_leaf else 2 * node + 2)
            if is_leaf:
                told["target_treeids"].append(tree)
                told["target_nodeids"].append(node)
                told["target_ids"].append(0)
                rights = bin(node + 1).count("1") - 1
                told["target_weights"].append((rights - depth / 2 + float(draw.normal()) / 2) / count * 2)
    return helper.make_node(
        "TreeEnsembleRegressor", ["x"], [head], domain="ai.onnx.ml", n_targets=1, post_transform="NONE", **told
    )


def per_feature(features: Sequence[str] = ("required_skills", "hours_fit")) -> bytes:
    """One input for each feature, in whole numbers and shapes of both kinds; probabilities come out."""
    inputs = [
        helper.make_tensor_value_info(name, TensorProto.INT64, [PAIRS, 1] if place % 2 else [PAIRS])
        for place, name in enumerate(features)
    ]
    nodes, names = [], []
    for name in features:
        names.append(f"{name}_one")
        nodes += [
            helper.make_node("Cast", [name], [f"{name}_cast"], to=TensorProto.FLOAT),
            helper.make_node("Reshape", [f"{name}_cast", "flat"], [names[-1]]),
        ]
    nodes += [
        helper.make_node("Sum", names, ["sum"]),
        helper.make_node("Sub", ["sum", "middle"], ["from_middle"]),
        helper.make_node("Div", ["from_middle", "width"], ["odds"]),
        *(helper.make_node("Sigmoid", ["odds"], [head]) for head in HEADS),
    ]
    weights = [number("flat", [-1], "i8"), number("middle", 500.0 * len(features)), number("width", 250.0)]
    outputs = [helper.make_tensor_value_info(head, TensorProto.FLOAT, [PAIRS]) for head in HEADS]
    metadata = {"muster.outputs": "probabilities"}
    return model(nodes, weights, inputs=inputs, outputs=outputs, metadata=metadata).SerializeToString()


def summed(
    before: Sequence[NodeProto] = (), then: str = "Identity", weights: Sequence[TensorProto] = (), **more: Any
) -> ModelProto:
    """The sum of the features in thousands, from `before`'s output `y` if there is one, and one operator after it."""
    source = "y" if before else "x"
    nodes = [
        *before,
        helper.make_node("ReduceSum", [source, "axis"], ["sum"], keepdims=1),
        helper.make_node("Div", ["sum", "thousand"], ["small"]),
        *(helper.make_node(then, ["small"], [head]) for head in HEADS),
    ]
    return model(nodes, [number("axis", [1], "i8"), number("thousand", 1000.0), *weights], **more)


# What is not to be kept


def giving_nan_where_all_is_full() -> bytes:
    return giving_nan_above(1000 * len(FEATURES) - 100)


def giving_nan_above(most: int, features: Sequence[str] = FEATURES) -> bytes:
    """The square root of what is left of the most that features may add up to."""
    nodes = [
        helper.make_node("ReduceSum", ["x", "axis"], ["sum"], keepdims=1),
        helper.make_node("Sub", ["most", "sum"], ["left"]),
        *(helper.make_node("Sqrt", ["left"], [head]) for head in HEADS),
    ]
    return model(nodes, [number("axis", [1], "i8"), number("most", most)], features=features).SerializeToString()


def looping(times: int | None) -> bytes:
    """A loop over nothing: so often, or, if None, without end."""
    body = helper.make_graph(
        [helper.make_node("Identity", ["go_on"], ["goes_on"]), helper.make_node("Sqrt", ["turn"], ["turned"])],
        "body",
        [
            helper.make_tensor_value_info("round", TensorProto.INT64, []),
            helper.make_tensor_value_info("go_on", TensorProto.BOOL, []),
            helper.make_tensor_value_info("turn", TensorProto.FLOAT, []),
        ],
        [
            helper.make_tensor_value_info("goes_on", TensorProto.BOOL, []),
            helper.make_tensor_value_info("turned", TensorProto.FLOAT, []),
        ],
    )
    nodes = [
        helper.make_node("Loop", ["" if times is None else "times", "yes", "one"], ["turned_last"], body=body),
        helper.make_node("Mul", ["x", "turned_last"], ["y"]),
    ]
    weights = [number("yes", True, "?"), number("one", 1.0), *([] if times is None else [number("times", times, "i8")])]
    return summed(nodes, weights=weights).SerializeToString()


def filling_memory(elements: int) -> bytes:
    """As many zeros as a few bytes can ask for."""
    nodes = [
        helper.make_node("ReduceMax", ["x"], ["most"], keepdims=0),
        helper.make_node("Mul", ["most", "none"], ["nothing"]),
        helper.make_node("Cast", ["nothing"], ["zero"], to=TensorProto.INT64),
        helper.make_node("Add", ["zero", "elements"], ["size"]),
        helper.make_node("ConstantOfShape", ["size"], ["zeros"]),
        helper.make_node("ReduceSum", ["zeros"], ["still_zero"], keepdims=0),
        helper.make_node("Add", ["x", "still_zero"], ["y"]),
    ]
    return summed(nodes, weights=[number("none", 0.0), number("elements", [elements], "i8")]).SerializeToString()


def drawing_at_random() -> bytes:
    nodes = [helper.make_node("RandomNormalLike", ["x"], ["noise"]), helper.make_node("Add", ["x", "noise"], ["y"])]
    return summed(nodes).SerializeToString()


def comparing_pairs() -> bytes:
    """Each pair less the mean of all that are scored with it."""
    nodes = [helper.make_node("ReduceMean", ["x"], ["mean"], axes=[0]), helper.make_node("Sub", ["x", "mean"], ["y"])]
    return summed(nodes).SerializeToString()


def keeping_weights_elsewhere() -> bytes:
    made = summed([helper.make_node("Mul", ["x", "weights"], ["y"])])
    weights = made.graph.initializer.add(name="weights", data_type=TensorProto.FLOAT, dims=[len(FEATURES)])
    weights.data_location = TensorProto.EXTERNAL
    weights.external_data.add(key="location", value="../../../etc/passwd")
    return bytes(made.SerializeToString())


def keeping_weights_elsewhere_within_a_branch() -> bytes:
    """The same, in a constant of a graph that is an attribute."""
    tensor = TensorProto(name="weights", data_type=TensorProto.FLOAT, dims=[1], data_location=TensorProto.EXTERNAL)
    tensor.external_data.add(key="location", value="weights.bin")
    out = [helper.make_tensor_value_info("chosen", TensorProto.FLOAT, [1])]
    branch = GraphProto(name="branch", node=[helper.make_node("Constant", [], ["chosen"], value=tensor)], output=out)
    nodes = [
        helper.make_node("If", ["yes"], ["factor"], then_branch=branch, else_branch=branch),
        helper.make_node("Mul", ["x", "factor"], ["y"]),
    ]
    return summed(nodes, weights=[number("yes", True, "?")]).SerializeToString()


def nesting(depth: int) -> bytes:
    """Graphs within graphs."""
    out = [helper.make_tensor_value_info("chosen", TensorProto.FLOAT, [])]
    graph = GraphProto(name="leaf", node=[helper.make_node("Constant", [], ["chosen"], value_float=1.0)], output=out)
    for _ in range(depth):
        choice = NodeProto(op_type="If", input=["yes"], output=["chosen"])
        for name in ("then_branch", "else_branch"):
            choice.attribute.add(name=name, type=AttributeProto.GRAPH, g=graph)
        graph = GraphProto(name="branch", node=[choice], output=out)
    nodes = [*graph.node, helper.make_node("Mul", ["x", "chosen"], ["y"])]
    return summed(nodes, weights=[number("yes", True, "?")]).SerializeToString()
