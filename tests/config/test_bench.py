"""The registry of benchmarks."""

import json

import pytest

from config import bench
from config.bench import Measured, benchmark


@pytest.fixture(autouse=True)
def registry(monkeypatch):
    monkeypatch.setattr(bench, "BENCHMARKS", {})

    @benchmark("rules.evaluate", unit="µs")
    def evaluate() -> Measured:
        return Measured(3.0, baseline=2.0, baseline_name="closures")

    @benchmark("rules.parse", unit="µs")
    def parse() -> Measured:
        return Measured(1.0)

    @benchmark("matches.page", unit="ms")
    def page() -> Measured:
        raise RuntimeError("no candidates")


def test_only_takes_prefixes_of_dotted_names():
    assert [one.name for one in bench.chosen("rules")] == ["rules.evaluate", "rules.parse"]
    assert [one.name for one in bench.chosen("rules.e,matches")] == ["matches.page", "rules.evaluate"]
    assert len(bench.chosen("")) == 3
    assert bench.chosen("nothing") == []


def test_two_benchmarks_cannot_share_a_name():
    with pytest.raises(ValueError, match=r"rules\.parse"):
        benchmark("rules.parse", unit="s")(lambda: Measured(1))


def test_ratio_is_value_by_baseline_and_null_where_a_figure_is_absolute(capsys):
    rows, failed = bench.run(bench.chosen("rules"))
    assert failed == []
    assert [row["ratio"] for row in rows] == [1.5, None]
    assert set(rows[0]) == {"name", "value", "unit", "baseline", "baseline_name", "ratio", "at"}
    printed = capsys.readouterr().out
    assert "ratio 1.500" in printed
    assert "closures" in printed


def test_one_that_fails_is_named_and_the_others_go_on(capsys):
    rows, failed = bench.run(bench.chosen(""))
    assert failed == ["matches.page"]
    assert [row["name"] for row in rows] == ["rules.evaluate", "rules.parse"]
    assert "RuntimeError: no candidates" in capsys.readouterr().err


def test_results_are_a_list_that_keeps_the_figures_of_other_benchmarks(tmp_path):
    path = tmp_path / "bench.json"
    path.write_text(json.dumps([{"name": "matches.page", "value": 9}, {"name": "gone.long.ago", "value": 1}]))
    rows, _ = bench.run(bench.chosen("rules"))
    bench.record(rows, path)
    assert [row["name"] for row in json.loads(path.read_text())] == ["matches.page", "rules.evaluate", "rules.parse"]


def test_sizes_come_from_the_environment(monkeypatch):
    assert bench.size("CANDIDATES", 1000) == 1000
    monkeypatch.setenv("BENCH_CANDIDATES", "50")
    assert bench.size("CANDIDATES", 1000) == 50
