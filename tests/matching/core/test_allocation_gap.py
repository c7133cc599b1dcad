import json
from itertools import product

import numpy as np
import pytest

from matching.core.allocation.__main__ import main
from matching.core.allocation.errors import AmbiguousInstance, InvalidAllocation
from matching.core.allocation.gap import read_gaps
from tests.matching.core.gaps import Arrays, drawn

pytestmark = pytest.mark.xdist_group("allocation")  # compiled kernels are loaded by one process


def written(instances: list[Arrays], *, counted: bool = False, before: bool = False, lines: bool = True) -> str:
    parts = [[len(instances)]] if counted else []
    for costs, resources, room in instances:
        body = [*costs.tolist(), *resources.tolist()]
        parts += [list(costs.shape), *([room.tolist(), *body] if before else [*body, room.tolist()])]
    return ("\n" if lines else " ").join(" ".join(map(str, part)) for part in parts)


def best(costs: np.ndarray, resources: np.ndarray, room: np.ndarray, *, maximise: bool) -> int | None:
    sums = [
        int(costs[list(to), range(len(to))].sum())
        for to in product(range(len(costs)), repeat=costs.shape[1])
        if (np.bincount(to, weights=resources[list(to), range(len(to))], minlength=len(costs)) <= room).all()
    ]
    return (max(sums) if maximise else min(sums)) if sums else None


def run(tmp_path, capsys, text: str, *options: str) -> tuple[int, list[dict]]:
    file = tmp_path / "gap.txt"
    file.write_text(text)
    status = main([str(file), "--format", "gap", "--json", *options])
    return status, json.loads(capsys.readouterr().out)


@pytest.mark.parametrize("maximise", [False, True])
@pytest.mark.parametrize("counted", [False, True])
def test_small_instances_are_solved_to_the_optimum(tmp_path, capsys, maximise, counted):
    instances = [drawn(kind, 3, 6) for kind in "ACDE"]
    options = ["--maximise"] if maximise else []
    _, results = run(tmp_path, capsys, written(instances, counted=counted), *options)
    for instance, result in zip(instances, results, strict=True):
        optimum = best(*instance, maximise=maximise)
        if optimum is None:
            assert result["assigned"] < 6
            assert not result["verified"]
            continue
        assert (result["objective"], result["assigned"], result["verified"]) == (optimum, 6, True)
        assert result["bound"] >= optimum if maximise else result["bound"] <= optimum
        assert result["gap"] == abs(result["bound"] - optimum)


@pytest.mark.parametrize("kind", "ABCDE")
def test_hard_instances_end_within_one_per_cent_of_the_bound(tmp_path, capsys, kind):
    status, (result,) = run(tmp_path, capsys, written([drawn(kind, 4, 40)]))
    assert (status, result["assigned"], result["verified"]) == (0, 40, True)
    assert result["gap"] <= 0.01 * result["objective"]


@pytest.mark.soak
@pytest.mark.parametrize("maximise", [False, True])
@pytest.mark.parametrize(
    "size", [(5, 100), (10, 100), (20, 100), (10, 200), (20, 200), (40, 400), (80, 400), (60, 900)]
)
@pytest.mark.parametrize("kind", "ABCDE")
def test_large_hard_instances_are_wholly_assigned_within_one_per_cent(tmp_path, capsys, kind, size, maximise):
    status, (result,) = run(tmp_path, capsys, written([drawn(kind, *size)]), *["--maximise"] * maximise)
    print(kind, size, result)
    assert (status, result["assigned"]) == (0, size[1])
    assert result["gap"] <= 0.01 * result["objective"]


def test_jobs_that_just_fit_are_all_assigned(tmp_path, capsys):
    """The room is what some assignment needs, to the hour."""
    rng = np.random.default_rng(4)
    for _ in range(2):
        costs, resources = rng.integers(10, 51, (4, 24)), rng.integers(5, 26, (4, 24))
        to = rng.integers(0, 4, 24)
        room = np.bincount(to, weights=resources[to, range(24)], minlength=4).astype(np.int64)
        status, (result,) = run(tmp_path, capsys, written([(costs, resources, room)]))
        assert (status, result["assigned"], result["verified"]) == (0, 24, True)


@pytest.mark.parametrize("before", [False, True])
@pytest.mark.parametrize("lines", [False, True])
def test_capacities_are_found_before_the_costs_and_after_the_resources(before, lines):
    costs, resources, room = drawn("C", 4, 40)
    (instance,) = read_gaps(written([(costs, resources, room)], before=before, lines=lines))
    assert (instance.capacities == room).all()
    assert (instance.costs == costs).all()
    assert (instance.resources == resources).all()


def test_a_file_that_can_be_read_in_two_ways_is_refused_until_somebody_says_which():
    text = "2 2 5 5 5 5 5 5 5 5 5 5"
    with pytest.raises(AmbiguousInstance, match="before the costs or after"):
        read_gaps(text)
    assert len(read_gaps(text, capacities="after")) == len(read_gaps(text, capacities="before")) == 1


@pytest.mark.parametrize(
    "text", ["", "x", "1", "2 2 1", "0 3", "-1 2 3", "1 1 1.5 1 1", "1 1 5 -1 4", f"1 1 {2**70} 1 1"]
)
def test_a_broken_file_is_refused(text):
    with pytest.raises(InvalidAllocation):
        read_gaps(text, capacities="after")


def test_a_time_limit_returns_the_best_so_far_and_says_how_much_was_done(tmp_path, capsys):
    file = tmp_path / "gap.txt"
    file.write_text(written([drawn("D", 10, 100)]))
    main([str(file), "--format", "gap", "--json", "--time-limit", "0"])
    output = capsys.readouterr()
    (result,) = json.loads(output.out)
    assert "gap.txt: stopped by the time limit after" in output.err
    assert result["gap"] == result["objective"] - result["bound"] or result["assigned"] < 100


def test_an_instance_without_room_says_that_not_all_is_assigned(tmp_path, capsys):
    status, (result,) = run(tmp_path, capsys, "1 2\n1 1\n5 5\n5")
    assert (status, result["assigned"], result["verified"]) == (1, 1, False)
