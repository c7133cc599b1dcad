"""How a model made elsewhere is fed and read: which features it takes, in which form, and what its scores are.

It takes either one input for each feature, named as the feature, or one matrix whose columns are features in a stated
order. It gives three outputs, `fit`, `interest` and `acceptance`, one number for each pair. What the file cannot say by
itself stands in its metadata under `muster.…`, or in a manifest beside it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeVar

from matching.core.features import FEATURES
from matching.core.onnx.contents import Contents, Tensor
from matching.core.scoring import HEADS, InvalidModel

Choice = TypeVar("Choice", bound=StrEnum)

ELEMENTS = frozenset({"float", "double", "int32", "int64"})
WHOLE = frozenset({"int32", "int64"})
PREFIX = "muster."
NAMES = ("features", "values", "outputs", "calibration")
MOST_CHARACTERS = 60  # of a calibration's name
MOST_MANIFEST_BYTES = 100_000


class Values(StrEnum):
    """In what unit features are given."""

    THOUSANDTHS = "thousandths"  # 0 to 1000, 500 is neutral
    SHARES = "shares"  # 0 to 1, 0.5 is neutral


class Scale(StrEnum):
    """What the numbers that come out are."""

    LOG_ODDS = "log-odds"
    PROBABILITIES = "probabilities"  # of each output by itself, from 0 to 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """What is said of a file. None: nothing was said."""

    features: tuple[str, ...] | None = None
    values: Values | None = None
    outputs: Scale | None = None
    calibration: str | None = None

    @classmethod
    def from_json(cls, document: str | bytes | Mapping[str, Any]) -> Manifest:
        """Raises `InvalidModel` for what is not an object of exactly these names, all of them optional."""
        data: Any = document
        if isinstance(document, str | bytes):
            if len(document) > MOST_MANIFEST_BYTES:
                raise InvalidModel("manifest", f"is longer than {MOST_MANIFEST_BYTES:,} bytes")
            try:
                data = json.loads(document)
            except (ValueError, RecursionError) as error:
                raise InvalidModel("manifest", "is not JSON") from error
        if not isinstance(data, Mapping) or not data.keys() <= set(NAMES):
            raise InvalidModel("manifest", f"must be an object of none but {', '.join(NAMES)}")
        features = data.get("features")
        if features is not None and not _is_list_of_texts(features):
            raise InvalidModel("manifest.features", "must be a list of names of features, in the order of the columns")
        return _manifest("manifest", data, features)

    @classmethod
    def from_metadata(cls, metadata: Mapping[str, str]) -> Manifest:
        """From `muster.features` (parted by commas), `muster.values`, `muster.outputs` and `muster.calibration`."""
        said = {key.removeprefix(PREFIX): text for key, text in metadata.items() if key.startswith(PREFIX)}
        for name in said:
            if name not in NAMES:
                raise InvalidModel(f"metadata.{PREFIX}{name:.60}", f"is none of {', '.join(NAMES)}")
        features = said.get("features")
        listed = None if features is None else [one.strip() for one in features.split(",")]
        return _manifest(f"metadata.{PREFIX.rstrip('.')}", said, listed)

    def with_file(self, other: Manifest) -> Manifest:
        """This manifest with what only the file says. Raises `InvalidModel` where the two differ."""
        said: dict[str, Any] = {}
        for name in NAMES:
            mine, theirs = getattr(self, name), getattr(other, name)
            if mine is not None and theirs is not None and mine != theirs:
                raise InvalidModel(f"manifest.{name}", "is not what the model's own metadata says")
            said[name] = theirs if mine is None else mine
        return Manifest(**said)


@dataclass(frozen=True, slots=True)
class Interface:
    """`inputs` are name and element type of each, in the order of `features`; of a single one where `is_matrix`."""

    inputs: tuple[tuple[str, str], ...]
    is_matrix: bool
    features: tuple[str, ...]
    values: Values
    scale: Scale
    calibration: str

    def to_json(self) -> dict[str, Any]:
        return {
            "inputs": [list(one) for one in self.inputs],
            "is_matrix": self.is_matrix,
            "features": list(self.features),
            "values": self.values.value,
            "scale": self.scale.value,
            "calibration": self.calibration,
        }

    @classmethod
    def from_json(cls, raw: Mapping[str, Any]) -> Interface:
        return cls(
            inputs=tuple((name, element) for name, element in raw["inputs"]),
            is_matrix=raw["is_matrix"],
            features=tuple(raw["features"]),
            values=Values(raw["values"]),
            scale=Scale(raw["scale"]),
            calibration=raw["calibration"],
        )


def interface_of(contents: Contents, manifest: Manifest) -> Interface:
    """How the model is fed and read; the manifest is what was given beside the file.

    Raises `InvalidModel` for features that are not declared, inputs and outputs that are not as described above, and a
    scale that is not said.
    """
    said = manifest.with_file(Manifest.from_metadata(contents.metadata))
    if said.outputs is None:
        known = " or ".join(scale.value for scale in Scale)
        raise InvalidModel("outputs", f"are in no stated scale: say in metadata or manifest whether in {known}")
    inputs = contents.inputs
    if not inputs:
        raise InvalidModel("inputs", "are none")
    is_matrix = said.features is not None
    features = said.features or tuple(tensor.name for tensor in inputs)
    _check_features(features, "features" if is_matrix else "inputs")
    if is_matrix and len(inputs) != 1:
        raise InvalidModel("inputs", f"must be one matrix where features are listed, not {len(inputs)}")
    for tensor in inputs:
        _check_input(tensor, columns=len(features) if is_matrix else None)
    values = said.values or Values.THOUSANDTHS
    if values is Values.SHARES and any(tensor.element in WHOLE for tensor in inputs):
        raise InvalidModel("inputs", "take whole numbers: shares from 0 to 1 cannot be given in these")
    _check_outputs(contents.outputs)
    return Interface(
        inputs=tuple((tensor.name, tensor.element) for tensor in inputs),
        is_matrix=is_matrix,
        features=features,
        values=values,
        scale=said.outputs,
        calibration=said.calibration or Scale.LOG_ODDS.value,
    )


def _manifest(path: str, data: Mapping[str, Any], features: Sequence[str] | None) -> Manifest:
    calibration = data.get("calibration")
    if calibration is not None and not (
        isinstance(calibration, str)
        and 1 <= len(calibration) <= MOST_CHARACTERS
        and calibration.isprintable()
        and not calibration.isspace()
    ):
        raise InvalidModel(f"{path}.calibration", f"must be a text of 1 to {MOST_CHARACTERS} characters")
    return Manifest(
        features=None if features is None else tuple(features),
        values=_choice(f"{path}.values", Values, data.get("values")),
        outputs=_choice(f"{path}.outputs", Scale, data.get("outputs")),
        calibration=calibration,
    )


def _choice(path: str, choices: type[Choice], given: object) -> Choice | None:
    if given is None:
        return None
    for choice in choices:
        if given == choice.value:
            return choice
    raise InvalidModel(path, f"must be one of {', '.join(choice.value for choice in choices)}")


def _is_list_of_texts(given: object) -> bool:
    return isinstance(given, list) and all(isinstance(one, str) for one in given)


def _check_features(names: Sequence[str], field: str) -> None:
    if not names:
        raise InvalidModel(field, "name no features")
    for name in names:
        if name not in FEATURES:
            raise InvalidModel(f"{field}.{name[:MOST_CHARACTERS]}", "is not a declared feature")
    if len(set(names)) < len(names):
        raise InvalidModel(field, "name a feature twice")


def _check_input(tensor: Tensor, *, columns: int | None) -> None:
    path = f"inputs.{tensor.name[:MOST_CHARACTERS]}"
    if tensor.element not in ELEMENTS:
        raise InvalidModel(path, f"must be of {', '.join(sorted(ELEMENTS))}")
    shape = tensor.shape
    if columns is None:
        if shape is None or shape[:1] != (None,) or shape[1:] not in ((), (1,)):
            raise InvalidModel(path, f"must have the shape [pairs] or [pairs, 1], pairs left open, not {_told(shape)}")
    elif shape is None or len(shape) != 2 or shape[0] is not None or shape[1] not in (columns, None):
        raise InvalidModel(path, f"must have the shape [pairs, {columns}], pairs left open, not {_told(shape)}")


def _check_outputs(outputs: Sequence[Tensor]) -> None:
    by_name = {tensor.name: tensor for tensor in outputs}
    if missing := [head for head in HEADS if head not in by_name]:
        raise InvalidModel("outputs", f"lack {', '.join(missing)}: they must be named {', '.join(HEADS)}")
    for head in HEADS:
        if by_name[head].element not in ("float", "double"):
            raise InvalidModel(f"outputs.{head}", "must be of float or double")


def _told(shape: tuple[int | None, ...] | None) -> str:
    if shape is None:
        return "none"
    return str(["pairs" if size is None else size for size in shape][:8]).replace("'", "")
