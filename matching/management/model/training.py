"""`manage.py model train`"""

from __future__ import annotations

import json
from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Mapping
from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from accounts.core.actor import Actor
from matching.actions.models import ensure_default_model
from matching.actions.training import train_model
from matching.actions.training.training import LEAST_EXAMPLES, TEST_SHARE
from matching.management.model.naming import moment, refusals, segment

HELP = "fit a model to what became of people who were shown, and keep it as a draft with its figures"
LINE = "    {name:12} {auc:24} {log_loss:24} {brier:24} {calibration_error:>8}"


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--segment", help="its name; otherwise the one that takes all that is left")
    parser.add_argument("--version", dest="name", help="of the new model; otherwise made of the day and the weights")
    parser.add_argument("--from", dest="since", type=moment, help="learn from what was shown since then: 2027-01-31")
    parser.add_argument("--to", dest="until", type=moment, help="and before then")
    parser.add_argument(
        "--test-share", type=_share, default=TEST_SHARE, help="of the examples, the latest ones: 0.2 if nothing is said"
    )
    parser.add_argument(
        "--min-examples", type=int, default=LEAST_EXAMPLES,
        help=f"that a head needs; else it keeps the live model's weights: {LEAST_EXAMPLES} if nothing is said",
    )  # fmt: skip
    parser.add_argument("--json", action="store_true", help="the whole report, for programs")


def run(command: BaseCommand, options: dict[str, Any]) -> None:
    ensure_default_model(now=timezone.now())
    where = segment(options["segment"])
    with refusals():
        model = train_model(
            actor=Actor.system(),
            segment_id=where.public_id,
            version=options["name"],
            since=options["since"],
            until=options["until"],
            test_share=options["test_share"],
            least=options["min_examples"],
            now=timezone.now(),
            progress=command.stderr.write,
        )
    training = model.training or {}
    if options["json"]:
        told = {"version": model.version, "state": model.state, "definition": model.definition, "training": training}
        command.stdout.write(json.dumps(told, indent=2, sort_keys=True))
        return
    command.stdout.write(f"{model.version} is a draft of the segment {where.name}, trained beside {training['live']}")
    for head, report in training["heads"].items():
        command.stdout.write("\n".join(_told(head, report)))


def _told(head: str, report: Mapping[str, Any]) -> list[str]:
    fitted, calibrated, test = report["fitted"], report["calibrated"], report["test"]
    lines = [
        f"\n{head}: {fitted['examples']:,} examples to fit ({fitted['positives']:,} yes), {calibrated['examples']:,} to"
        f" calibrate ({calibrated['positives']:,}), {test['examples']:,} to test ({test['positives']:,})"
    ]
    if not report["trained"]:
        lines.append(f"    keeps the live model's weights: {report['problem']}")
    figures = report["figures"]
    if figures:
        lines.append(
            LINE.format(
                name="", auc="AUC", log_loss="log loss", brier="Brier", calibration_error="ECE"
            )
        )  # fmt: skip
        for name, one in figures["models"].items():
            shown = {key: _figure(one[key]) for key in ("auc", "log_loss", "brier")}
            lines.append(LINE.format(name=name, calibration_error=_number(one["calibration_error"]), **shown))
        lines.append(f"    against the live model: {figures['verdict']}")
    if report["pinned"]:
        lines.append(f"    held at 0, where the data would have it negative: {', '.join(report['pinned'])}")
    return lines


def _figure(value: Mapping[str, Any] | None) -> str:
    if value is None or value["value"] is None:
        return "–"
    return f"{_number(value['value'])} ({_number(value['low'])} … {_number(value['high'])})"


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.4f}"


def _share(text: str) -> int:
    """In thousandths."""
    try:
        return round(float(text) * 1000)
    except (ValueError, OverflowError) as error:
        raise ArgumentTypeError(f"{text} is no share such as 0.2") from error
