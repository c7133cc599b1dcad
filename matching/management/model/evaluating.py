"""`manage.py model evaluate`"""

from __future__ import annotations

import json
from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from matching.core.evaluation.judgements import MOST_BYTES, Judgements, UnreadableJudgements, read_judgements
from matching.core.evaluation.metrics import Interval
from matching.core.evaluation.report import Figure, Report, evaluated, measure_names
from matching.management.model.naming import version
from matching.queries.text_ranking import OURS, text_rankings

HELP = "how well texts are ranked, held against judged pairs"


def _rank(written: str) -> int:
    if not written.isdecimal() or int(written) < 1:
        raise ArgumentTypeError(f"{written} is no whole number of at least 1")
    return int(written)


def _grade(written: str) -> float:
    try:
        found = float(written)
    except ValueError:
        found = 0.0
    if not 0 < found < float("inf"):
        raise ArgumentTypeError(f"{written} is no number above 0")
    return found


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--labels",
        required=True,
        type=Path,
        metavar="FILE",
        help="CSV with the header query_id,query_text,candidate_id,candidate_text,grade; a pair that is absent is not "
        "judged",
    )
    parser.add_argument("--json", action="store_true", help="one JSON object instead of tables")
    parser.add_argument(
        "--relevant-at",
        type=_grade,
        metavar="G",
        help="the grade from which a pair counts as relevant; the lowest one above 0 if not given",
    )
    parser.add_argument(
        "--all",
        action="store_true",
        help="rank all candidates of the file for each query, not only its judged ones; others count as not relevant",
    )
    parser.add_argument(
        "--version",
        metavar="V",
        help="also rank by the fit that this version of a model gives to what can be read of the texts",
    )
    parser.add_argument("--k", type=_rank, default=10, help="ranks that nDCG looks at; 10 if not given")


def run(command: BaseCommand, options: dict[str, Any]) -> None:
    model = None if options["version"] is None else version(options["version"])
    judgements = _judgements(options["labels"])
    report = evaluated(
        judgements,
        text_rankings(judgements, model),
        k=options["k"],
        relevant_at=options["relevant_at"],
        everyone=options["all"],
    )
    command.stdout.write(json.dumps(report.to_json(), indent=2) if options["json"] else _table(report))


def _judgements(path: Path) -> Judgements:
    try:
        if path.is_file() and path.stat().st_size > MOST_BYTES:
            raise CommandError(f"{path}: larger than {MOST_BYTES:,} bytes")
        return read_judgements(path.read_bytes())
    except OSError as error:
        raise CommandError(f"{path}: cannot be read ({error.strerror or error})") from error
    except UnreadableJudgements as error:
        raise CommandError(f"{path}: {error}") from error


def _table(report: Report) -> str:
    threshold = "no pair has a grade above 0" if report.relevant_at is None else f"relevant from {report.relevant_at:g}"
    who = "all candidates ranked, those not judged as grade 0" if report.everyone else "judged candidates ranked"
    return "\n".join(
        [
            f"{report.queries:,} queries, {report.candidates:,} candidates, {report.pairs:,} judged pairs; {who}; "
            f"{threshold}",
            "",
            *_lines("mean over queries", report.figures, report.k, signed=False),
            "",
            *_lines(f"{OURS} less …, paired", report.differences, report.k, signed=True),
            "",
            "In brackets 95 % of bootstrap samples of the queries. – where no query has the measure.",
        ]
    )


def _lines(title: str, figures: Mapping[str, Mapping[str, Figure]], k: int, *, signed: bool) -> list[str]:
    names = measure_names(k)
    lines = [f"{title:<22}" + "".join(f"{name:<25}" for name in names)]
    for ranker, of in figures.items():
        lines.append(f"{ranker:<22}" + "".join(f"{_cell(of[name], signed):<25}" for name in names))
    return [line.rstrip() for line in lines]


def _cell(figure: Figure, signed: bool) -> str:
    sign = "+" if signed else ""
    if figure.value is None:
        return "–"
    interval = figure.interval or Interval(float("nan"), float("nan"))
    bounds = "" if figure.interval is None else f" [{interval.low:{sign}.3f}, {interval.high:{sign}.3f}]"
    return f"{figure.value:{sign}.3f}{bounds}"
