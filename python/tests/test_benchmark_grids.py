"""What the grids against PyTorch compute from their measurements, and SKD's half of them."""

import json
from dataclasses import asdict

import numpy as np
import pytest

import skd
from speed.cells import Cell, verdicts, worst
from speed.digests import SAMPLES, Digest, difference
from speed.operation_worker import OperationContestant
from speed.operations import FUNCTIONS, RANDOM, called, cases, results
from speed.report import Target
from speed.timing import Sample, fastest, in_turns
from speed.worker import Contestant, Task
from speed.works import Kind, Network, Work, agreed

NARROW = Network(widths=(8, 8, 16, 16), channels=1)


def make_cell(name, ratio):
    return Cell(name, Sample((0.01, 0.02)), Sample((0.01 * ratio, 0.02 * ratio)), "contiguous", 0.0)


def test_the_worst_cell_has_the_least_ratio_and_is_named():
    cells = [make_cell("conv2d", 2.0), make_cell("relu", 0.5), make_cell("linear", 1.0)]
    assert worst(cells).name == "relu"
    sentences = "The worst of 3 cells is relu: 0.50. 2 reach the bar of 1, and 1 the goal of 2."
    assert verdicts(cells, Target(1, 2)) == sentences


def test_a_cell_shows_medians_and_its_ratio_in_bold_below_the_bar():
    cell = make_cell("relu", 0.5)
    assert cell.times(1000) == "15.0 / 7.50"
    assert cell.shown_ratio(Target(1, 2)) == "**0.50**"
    assert cell.shown_ratio(Target(0.5, 2)) == "0.50"
    assert json.loads(json.dumps(cell.content()))["ours"] == [0.01, 0.02]


def test_digests_of_equal_arrays_agree_whatever_their_size(rng):
    for size in (0, 1, SAMPLES, 10 * SAMPLES):
        values = rng.standard_normal(size).astype(np.float32)
        restored = Digest.from_json(json.loads(json.dumps(asdict(Digest.of(values)))))
        assert difference([Digest.of(values)], [restored]) == 0


@pytest.mark.parametrize("place", [0, SAMPLES * 10])
def test_a_nan_in_any_array_is_a_difference(place):
    values = np.ones(SAMPLES * 10 + 1)
    spoilt = values.copy()
    spoilt[place] = np.nan
    ones, nans = Digest.of(values), Digest.of(spoilt)
    assert np.isnan(difference([ones, ones], [ones, nans]))
    assert np.isnan(difference([ones, nans], [ones, ones]))


def test_a_difference_is_relative_to_the_root_mean_square_of_the_array():
    ours, theirs = np.full(10, 2.2, np.float32), np.full(10, 2.0, np.float32)
    assert difference([Digest.of(ours)], [Digest.of(theirs)]) == pytest.approx(0.1)
    assert difference([Digest.of(0.0), Digest.of(1)], [Digest.of(1e-9), Digest.of(1)]) == 1
    small = difference([Digest.of(0.0), Digest.of(1)], [Digest.of(1e-9), Digest.of(1)], floor=1e-3)
    assert small == pytest.approx(1e-6)


def test_arrays_of_other_shapes_are_not_compared():
    with pytest.raises(ValueError, match="shapes"):
        difference([Digest.of(np.zeros((2, 3)))], [Digest.of(np.zeros((3, 2)))])


def test_the_fastest_of_several_runs_is_named(monkeypatch):
    now = 0.0

    def lasting(seconds):
        def run():
            nonlocal now
            now += seconds

        return run

    monkeypatch.setitem(fastest.__globals__["CLOCKS"], "wall", lambda: now)
    assert fastest({"slow": lasting(0.003), "fast": lasting(0.001)}) == "fast"


def test_a_turn_may_have_a_value_for_each_of_several_works(monkeypatch):
    monkeypatch.setitem(in_turns.__globals__, "PAUSE_SECONDS", 0)
    numbers = iter(range(6))
    assert in_turns([lambda: (next(numbers),), lambda: (next(numbers),)], 2) == [
        [(2,), (4,)],
        [(3,), (5,)],
    ]


def test_a_network_tells_widths_and_channels_and_survives_its_way():
    work = Work(Kind.SUPERVISED, 32, 2, network=NARROW)
    assert work.name == "supervised step, resnet12 8-8-16-16, 1 channel, 32 px, 2 images"
    assert Work(Kind.EMBED, 32, 1).name == "embed, 32 px, 1 image"
    task = Task("faster torch", work, threads=1)
    assert Task.from_json(task.to_json()) == task
    assert 0 < work.flops < Work(Kind.SUPERVISED, 32, 2).flops
    assert Work(Kind.EMBED, 32, 2, network=Network("convnet4")).flops is None


def test_a_contestant_takes_one_work_after_the_other():
    first, second = (Work(kind, 32, 2, network=NARROW) for kind in (Kind.SUPERVISED, Kind.EMBED))
    with Contestant(Task("skd", first, threads=1)) as contestant:
        gradients = contestant.agreed()
        contestant.take(second)
        features = contestant.agreed()
        assert contestant.prepare() == "channels_last"
        assert contestant.seconds() > 0
    for work, digests in ((first, gradients), (second, features)):
        assert difference([Digest.of(each) for each in agreed(work)], digests) == 0
    assert features[0].shape == (2, 16)
    assert len(gradients) > 20


def test_every_function_on_tensors_has_ten_shapes():
    names = {f"ops.{name}" for name in skd.ops.__all__}
    names |= {f"losses.{name}" for name in skd.losses.__all__}
    without_tensors = {"ops.BatchNorm", "ops.drop_block_gamma"}
    assert {function.split(",")[0] for function in FUNCTIONS} == names - without_tensors
    assert set(RANDOM) < set(FUNCTIONS)
    for function in FUNCTIONS:
        assert len({case.name for case in cases(function)}) >= 10


@pytest.mark.parametrize("function", FUNCTIONS)
def test_every_function_takes_its_arguments(function):
    case = min(cases(function), key=lambda case: np.prod(case.shape))
    assert all(np.isfinite(value).all() for value in results(case, called(case)()))


def test_a_contestant_runs_all_shapes_of_a_function():
    with OperationContestant("skd", threads=1) as contestant:
        digests, layouts = contestant.take("losses.twin_l2")
        seconds = contestant.seconds()
    assert [len(case) for case in digests] == [3] * len(layouts) == [3] * len(seconds)
    assert min(seconds) > 0
