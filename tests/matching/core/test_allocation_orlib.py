import json

import numpy as np
import pytest
from scipy.optimize import linear_sum_assignment

from matching.core.allocation.__main__ import main
from matching.core.allocation.errors import MalformedInstance
from matching.core.allocation.orlib import read_assignments

pytestmark = pytest.mark.xdist_group("allocation")  # compiled kernels are loaded by one process


def written(costs: np.ndarray) -> str:
    """OR-Library's layout: lines of at most ten numbers that ignore where rows end."""
    numbers = [str(cost) for cost in costs.ravel()]
    lines = [" ".join(numbers[at : at + 10]) for at in range(0, len(numbers), 10)]
    return f" {len(costs)}\n" + "\n ".join(lines) + "\n"


@pytest.fixture
def matrices() -> list[np.ndarray]:
    rng = np.random.default_rng(5)
    return [rng.integers(-50, 100, (size, size)) for size in (1, 2, 30)]


@pytest.mark.parametrize("maximise", [False, True])
def test_files_are_solved_to_the_optimum_and_verified(tmp_path, capsys, matrices, maximise):
    file = tmp_path / "assign.txt"
    file.write_text("".join(written(costs) for costs in matrices))
    assert main([str(file), "--json", *(["--maximise"] if maximise else [])]) == 0
    results = json.loads(capsys.readouterr().out)
    assert [result["name"] for result in results] == ["assign.txt#1", "assign.txt#2", "assign.txt#3"]
    for costs, result in zip(matrices, results, strict=True):
        rows, columns = linear_sum_assignment(costs, maximize=maximise)
        assert result["objective"] == result["bound"] == costs[rows, columns].sum()
        assert (result["gap"], result["assigned"], result["verified"]) == (0, len(costs), True)
        assert set(result) == {"name", "objective", "bound", "gap", "assigned", "seconds", "verified"}


def test_a_line_for_people_says_what_was_found(tmp_path, capsys):
    file = tmp_path / "tiny.txt"
    file.write_text("2\n1 9 9 1")
    assert main([str(file)]) == 0
    assert "tiny.txt: objective 2, bound 2, gap 0, assigned 2 of 2" in capsys.readouterr().out


@pytest.mark.parametrize("text", ["", "x", "0", "-1", "2 1 2 3", "1 1.5", "1 nan", "99999", f"1 {2**70}", "1 5 3"])
def test_a_broken_file_is_refused(tmp_path, capsys, text):
    with pytest.raises(MalformedInstance):
        read_assignments(text)
    file = tmp_path / "broken.txt"
    file.write_text(text)
    assert main([str(file)]) == 1
    assert "broken.txt" in capsys.readouterr().err


def test_a_missing_file_or_one_of_bytes_does_not_stop_the_others(tmp_path, capsys):
    good, noise = tmp_path / "good.txt", tmp_path / "noise.txt"
    good.write_text("1 7")
    noise.write_bytes(b"\xff\xfe")
    assert main([str(tmp_path / "none.txt"), str(noise), str(good), "--json"]) == 1
    (result,) = json.loads(capsys.readouterr().out)
    assert result["objective"] == 7
