"""Scores, policies and diagnoses in words and tables."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django.utils.html import format_html, format_html_join

from accounts.admin.rendering import NOTHING, as_json, sentences, table
from matching.core.scoring import probability_ppm

MICRO = 1_000_000


def score_text(score: int) -> str:
    """A score in log-odds, and the probability that it stands for."""
    return f"{score / MICRO:+.3f} ({probability_ppm(score) / 10_000:.1f} %)"


def contributions_table(contributions: Any) -> str:
    """The addends of one score, largest first, each with a bar as long as it counts. Those of a model that is not
    linear have no weights."""
    if isinstance(contributions, Mapping):
        contributions = contributions.get("contributions", [])
    longest = max((abs(one["amount"]) for one in contributions), default=0)
    rows = [
        (
            str(one["feature"]).replace("_", " "),
            one["value"] if one["feature"] == "intercept" else f"{one['value'] / 1000:.3f}",
            NOTHING if one["feature"] == "intercept" or one["weight"] is None else f"{one['weight'] / 1000:+.3f}",
            f"{one['amount'] / MICRO:+.3f}",
            _bar(one["amount"], longest),
        )
        for one in contributions
    ]
    total = sum(one["amount"] for one in contributions)
    return table(["Feature", "Value", "Weight", "Adds", ""], [*rows, ("", "", "in all", score_text(total), "")])


def _bar(amount: int, longest: int) -> str:
    """Green to the good, red to the bad; out of a hundred for the longest."""
    width = round(100 * abs(amount) / longest) if longest else 0
    return format_html(
        '<div role="img" aria-label="{}" style="width:{}px;height:8px;border-radius:4px;background:{}"></div>',
        f"{width} of 100", width, "#16a34a" if amount > 0 else "#dc2626",
    )  # fmt: skip


def model_table(definition: Any) -> str:
    """What is told of a version: a linear model's weights; of a file, how it is fed, and what it was seen to do."""
    if not isinstance(definition, Mapping) or "interface" not in definition:
        return definition_table(definition)
    interface, measured, file = definition["interface"], definition.get("measured", {}), definition.get("file", {})
    near = measured.get("linear_explains", {})
    rows = [
        ("Features", ", ".join(str(name).replace("_", " ") for name in interface.get("features", ()))),
        ("Given in", interface.get("values", NOTHING)),
        ("Gives", interface.get("scale", NOTHING)),
        ("Bytes", f"{file.get('bytes', 0):,}"),
        ("SHA-256", file.get("sha256", NOTHING)),
        ("Operators", ", ".join(measured.get("operators", ())) or NOTHING),
        ("Time for a thousand pairs", f"{measured.get('ms_per_thousand_rows', 0):g} ms"),
        ("Explained by the linear model below", ", ".join(f"{head} {share:.0%}" for head, share in near.items())),
    ]
    return format_html("{}{}", table(["", ""], rows), definition_table(definition.get("linear")))


def contributions_by_head(raw: Any) -> str:
    """Stored contributions of all three scores; the JSON itself where it cannot be read."""
    if not raw:
        return NOTHING
    try:
        if isinstance(raw, list):
            return contributions_table(raw)
        return format_html_join(
            "", '<div class="mb-4"><strong>{}</strong>{}</div>',
            ((head.capitalize(), contributions_table(one)) for head, one in raw.items()),
        )  # fmt: skip
    except (KeyError, TypeError, AttributeError):
        return as_json(raw)


def policy_text(policy: Any) -> str:
    if not isinstance(policy, Mapping):
        return NOTHING
    weights = ((name, policy.get(name)) for name in ("quality", "fill", "speed"))
    return ", ".join(f"{name} {int(weight) / 10:g} %" for name, weight in weights if weight is not None)


def diagnosis_in_words(raw: Any) -> str:
    """Why seats stay empty, one sentence for each cause, and what loosening the binding criterion would gain."""
    if not raw:
        return "No seat stays empty."
    try:
        return sentences(_told(one) for one in raw)
    except (KeyError, TypeError, AttributeError):
        return as_json(raw)


def _told(empty: Mapping[str, Any]) -> str:
    criterion = empty.get("criterion")
    if not criterion:
        return empty["sentence"]
    return f"{empty['sentence']} What binds: {criterion['sentence']} (without it: {criterion['gain']} people more)"


def figures(pairs: Iterable[tuple[str, Any]]) -> str:
    return format_html_join("", "<span class='mr-6'>{}: <strong>{}</strong></span>", pairs)


def definition_table(definition: Any) -> str:
    """A linear model's weights, feature by head."""
    try:
        heads = definition["heads"]
        features = sorted({feature for head in heads.values() for feature in head["weights"]})
        rows = [["intercept", *(f"{head['intercept'] / MICRO:+.3f}" for head in heads.values())]]
        for feature in features:
            weights = [head["weights"].get(feature) for head in heads.values()]
            shown = [NOTHING if weight is None else f"{weight / 1000:+.3f}" for weight in weights]
            rows.append([feature.replace("_", " "), *shown])
        return format_html("{}", table(["Log-odds", *heads], rows))
    except (KeyError, TypeError, AttributeError):
        return as_json(definition)
