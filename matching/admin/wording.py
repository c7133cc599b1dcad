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
    """The addends of one score, largest first."""
    if isinstance(contributions, Mapping):
        contributions = contributions.get("contributions", [])
    rows = [
        (
            str(one["feature"]).replace("_", " "),
            one["value"] if one["feature"] == "intercept" else f"{one['value'] / 1000:.3f}",
            NOTHING if one["feature"] == "intercept" else f"{one['weight'] / 1000:+.3f}",
            f"{one['amount'] / MICRO:+.3f}",
        )
        for one in contributions
    ]
    total = sum(one["amount"] for one in contributions)
    return table(["Feature", "Value", "Weight", "Adds"], [*rows, ("", "", "in all", score_text(total))])


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
    return ", ".join(f"{name} {int(weight) / 10:g} %" for name, weight in policy.items())


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
