"""Files of models: what is accepted, and what is refused with the reason, whatever it does to whoever tries it."""

from __future__ import annotations

import gzip
import io
import json
import subprocess
import sys
import time
import zipfile
from dataclasses import replace

import numpy as np
import pytest
from onnx import TensorProto, helper

from matching.core.onnx import Interface, Manifest, interface_of, read_contents
from matching.core.scoring import HEADS, InvalidModel, LinearModel
from matching.onnx.checking import ROOT, CheckedFile, check_file
from tests.matching import made_elsewhere as made

WEIGHTS = {head: {"required_skills": 5000 + 7 * place, "hours_fit": 1500} for place, head in enumerate(HEADS)}
INTERCEPTS = {head: -3_000_000 + place for place, head in enumerate(HEADS)}


def checked(content: bytes, manifest: dict | None = None, **limits) -> CheckedFile:
    return check_file(content, manifest, version="elsewhere-1", limits=replace(made.LIMITS, **limits))


def refused(content: bytes, manifest: dict | None = None, **limits) -> str:
    """The field and what is wrong with it."""
    with pytest.raises(InvalidModel) as refusal:
        checked(content, manifest, **limits)
    assert refusal.value.code == "INVALID_MODEL"
    return str(refusal.value)


def read(content: bytes, manifest: dict | None = None) -> Interface:
    """As the process that tries a file begins, before anything is run."""
    return interface_of(read_contents(content), Manifest.from_json(manifest or {}))


def unreadable(content: bytes, manifest: dict | None = None) -> str:
    with pytest.raises(InvalidModel) as refusal:
        read(content, manifest)
    return str(refusal.value)


# What is accepted


def test_a_matrix_of_named_columns_is_accepted_and_measured() -> None:
    found = checked(made.network())
    assert found.definition["interface"]["features"] == list(made.FEATURES)
    assert found.definition["file"] == {"sha256": found.digest, "bytes": len(found.content)}
    measured = found.definition["measured"]
    assert 0 < measured["ms_per_thousand_rows"] < 200
    assert measured["operators"] == ["Gemm", "MatMul", "Tanh"]
    assert json.loads(json.dumps(found.definition)) == found.definition


def test_trees_are_accepted() -> None:
    assert checked(made.trees()).definition["measured"]["operators"] == ["TreeEnsembleRegressor"]


def test_an_input_for_each_feature_is_accepted_with_probabilities() -> None:
    interface = checked(made.per_feature()).definition["interface"]
    assert (interface["is_matrix"], interface["scale"]) == (False, "probabilities")
    assert interface["inputs"] == [["required_skills", "int64"], ["hours_fit", "int64"]]


def test_a_manifest_says_what_the_file_does_not() -> None:
    bare = made.summed(metadata={})
    del bare.metadata_props[:]
    manifest = {"features": list(made.FEATURES), "outputs": "log-odds", "values": "shares", "calibration": "2026"}
    found = read(bare.SerializeToString(), manifest)
    assert (found.values, found.calibration) == ("shares", "2026")
    assert unreadable(bare.SerializeToString(), {"outputs": "log-odds"}).startswith(
        "inputs.x is not a declared feature"
    )


def test_a_linear_model_is_its_own_surrogate() -> None:
    """As far as weights in thousandths can tell."""
    found = checked(made.linear(WEIGHTS, INTERCEPTS)).definition
    surrogate = LinearModel.from_json(found["linear"])
    for head in HEADS:
        assert dict(surrogate.heads[head].weights) == WEIGHTS[head]
        assert abs(surrogate.heads[head].intercept - INTERCEPTS[head]) <= 1
    assert found["measured"]["linear_explains"] == dict.fromkeys(HEADS, 1.0)


# What is not ONNX, or not readable


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x00",
        b"not a model",
        b"\x08" * 1000,
        b"{}",
        made.network()[:-7],
        gzip.compress(bytes(1 << 20)),
        b"\xff" * 99,
    ],
    ids=["nothing", "a zero", "text", "numbers", "json", "cut off", "gzip", "ones"],
)
def test_what_is_no_model_is_refused(content: bytes) -> None:
    assert unreadable(content).startswith("file is not an ONNX model")


def test_what_the_process_refuses_comes_back_as_it_was_said() -> None:
    assert refused(b"") == "file is empty"
    assert refused(b"not a model") == unreadable(b"not a model")


def test_a_zip_bomb_is_no_model() -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("model.onnx", bytes(50 << 20))
    assert unreadable(packed.getvalue()).startswith("file is not an ONNX model")


def test_a_file_that_is_too_large_is_not_even_tried() -> None:
    assert refused(bytes((5 << 20) + 1)) == "file is larger than 5 MB"


def test_whatever_bytes_come_reading_them_ends_in_a_refusal_or_in_contents() -> None:
    draw, sound = np.random.default_rng(1), made.network()
    for _ in range(2000):
        broken = bytearray(sound)
        for at in draw.integers(0, len(broken), draw.integers(1, 5)):
            broken[at] = draw.integers(256)
        try:
            read_contents(bytes(broken))
        except InvalidModel:
            continue


# What may not be run


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (made.keeping_weights_elsewhere(), "keeps weights in another file"),
        (made.keeping_weights_elsewhere_within_a_branch(), "keeps weights in another file"),
        (made.drawing_at_random(), "draws at random"),
        (made.nesting(10), "nests graphs"),
        (
            made.summed(opsets={"": 17, "com.microsoft": 1}).SerializeToString(),
            "imports the operators of 'com.microsoft'",
        ),
        (made.summed(opsets={"": 99}).SerializeToString(), "is written for version 99"),
        (made.summed([helper.make_node("Gelu", ["x"], ["y"], domain="mine")]).SerializeToString(), "of 'mine'"),
    ],
    ids=["files", "files within", "random", "nested", "vendor", "opset", "custom"],
)
def test_what_is_not_the_standards_or_not_in_the_file_is_refused(content: bytes, reason: str) -> None:
    assert reason in unreadable(content)


def test_an_operator_that_does_not_exist_is_refused() -> None:
    assert "cannot be run" in refused(made.summed(then="Gellu").SerializeToString())


def test_functions_and_training_are_refused() -> None:
    with_function = made.summed()
    with_function.functions.add(name="f", domain="mine")
    assert "functions of its own" in unreadable(with_function.SerializeToString())
    trained = made.summed()
    trained.training_info.add()
    assert "training steps" in unreadable(trained.SerializeToString())


def test_a_tensor_that_claims_to_be_huge_is_refused() -> None:
    claimed = made.summed()
    claimed.graph.initializer.add(name="huge", data_type=TensorProto.FLOAT, dims=[1 << 20, 1 << 20])
    assert "has 1,099,511,627,776 elements" in unreadable(claimed.SerializeToString())


# Inputs and outputs


@pytest.mark.parametrize(
    ("content", "manifest", "reason"),
    [
        (made.network(("required_skills", "shoe_size")), None, "features.shoe_size is not a declared feature"),
        (made.network(("location_fit", "location_fit")), None, "features name a feature twice"),
        (made.network(), {"features": ["location_fit"]}, "manifest.features is not what the model's own metadata says"),
        (made.network(), {"outputs": "probabilities"}, "manifest.outputs is not what"),
        (made.network(), {"colour": "red"}, "manifest must be an object of none but"),
        (made.network(), {"values": "percent"}, "manifest.values must be one of thousandths, shares"),
        (made.network(), {"features": "location_fit"}, "manifest.features must be a list"),
        (made.network(), {"calibration": ""}, "manifest.calibration must be a text"),
        (made.summed(metadata={}).SerializeToString(), None, "outputs are in no stated scale"),
        (
            made.summed(metadata={"muster.outputs": "marks"}).SerializeToString(),
            None,
            "metadata.muster.outputs must be",
        ),
        (made.summed(metadata={"muster.size": "1"}).SerializeToString(), None, "metadata.muster.size is none of"),
        (
            made.summed(outputs=[helper.make_tensor_value_info("fit", 1, [None, 1])]).SerializeToString(),
            None,
            "outputs lack",
        ),
    ],
)
def test_names_and_scales_must_be_said_and_known(content: bytes, manifest: dict | None, reason: str) -> None:
    assert unreadable(content, manifest).startswith(reason)


@pytest.mark.parametrize(
    ("shape", "reason"),
    [
        ([1, 5], "pairs left open, not [1, 5]"),
        ([None, 4], "must have the shape [pairs, 5]"),
        ([None], "must have the shape"),
        (None, "not none"),
    ],
)
def test_inputs_must_leave_the_number_of_pairs_open(shape: list | None, reason: str) -> None:
    inputs = [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)]
    metadata = {"muster.features": ",".join(made.FEATURES), **made.LOG_ODDS}
    assert reason in unreadable(made.summed(inputs=inputs, metadata=metadata).SerializeToString())


def test_texts_are_no_features() -> None:
    inputs = [helper.make_tensor_value_info("location_fit", TensorProto.STRING, [None, 1])]
    assert "must be of double, float, int32, int64" in unreadable(made.summed(inputs=inputs).SerializeToString())


def test_an_output_must_be_one_number_for_each_pair() -> None:
    outputs = [helper.make_tensor_value_info(head, TensorProto.FLOAT, None) for head in HEADS]
    wide = made.model([helper.make_node("Identity", ["x"], [head]) for head in HEADS], outputs=outputs)
    assert "one number each is asked for" in refused(wide.SerializeToString())


# What it does when it is run


def test_a_score_that_is_no_number_is_refused_with_the_values_it_came_of() -> None:
    reason = refused(made.giving_nan_where_all_is_full())
    assert reason.startswith("outputs.fit are nan for ")
    assert '"hours_fit": 1000' in reason


def test_what_is_beyond_one_is_no_probability() -> None:
    assert refused(made.summed(metadata={"muster.outputs": "probabilities"}).SerializeToString()).startswith(
        "outputs.fit are 2.5"
    )


def test_an_infinite_score_is_refused() -> None:
    assert "are inf" in refused(made.summed(then="Reciprocal").SerializeToString())


def test_a_feature_that_may_not_be_weighed_for_a_score_must_not_change_it() -> None:
    reason = refused(made.summed(features=("required_skills", "pay_fit", "hours_fit")).SerializeToString())
    assert reason == "outputs.fit depend on pay_fit, which may not be weighed for it"


def test_a_score_that_depends_on_the_other_pairs_is_refused() -> None:
    assert "depend on which other pairs" in refused(made.comparing_pairs())


def test_a_loop_without_end_is_stopped_and_refused() -> None:
    begin = time.monotonic()
    reason = refused(made.looping(None), run_seconds=0.5)
    assert reason == "file takes more than 0.5 s for 256 rows"
    assert time.monotonic() - begin < 30


def test_a_check_that_takes_all_the_processor_time_it_may_is_ended() -> None:
    reason = refused(made.looping(None), run_seconds=60, seconds=2)
    assert reason == "file is not done being tried after 2 s of processor time"


def test_a_slow_model_is_refused_with_its_time() -> None:
    reason = refused(made.looping(20_000), ms_per_thousand_rows=5)
    assert reason.startswith("file takes ")
    assert reason.endswith("ms for a thousand pairs; 5 ms are allowed")


@pytest.mark.parametrize("elements", [1 << 27, 1 << 33, 1 << 60])
def test_a_model_that_asks_for_all_memory_is_refused(elements: int) -> None:
    reason = refused(made.filling_memory(elements))
    assert "memory" in reason or "cannot be run" in reason


# Who knows onnxruntime


def test_the_web_server_never_imports_the_runtime() -> None:
    code = "import config.wsgi, sys; from django.urls import get_resolver as all; all().url_patterns;"
    code += "print('onnxruntime' in sys.modules)"
    found = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "False"
