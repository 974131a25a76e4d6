"""What the speed benchmarks compute from their measurements; nothing is timed here."""

import json

import pytest

from speed import timing
from speed.readme import EMBEDDING, README, STEPS
from speed.report import (
    HEADINGS,
    Result,
    Target,
    Unit,
    markdown_table,
    number,
    shown_command,
    spread,
    write_report,
)
from speed.timing import Sample, median_ratio, take_turns, timed
from speed.worker import Contestant, Task
from speed.works import Kind, Work
from weak_scaling import WeakScaling


@pytest.fixture
def no_pause(monkeypatch):
    monkeypatch.setattr(timing, "PAUSE_SECONDS", 0)


@pytest.fixture
def make_result():
    """Return a function that makes a row of three turns."""

    def make(**changes):
        fields = {
            "group": "gen0",
            "work": "Gen-0 step",
            "threads": 2,
            "against": "PyTorch",
            "unit": Unit.SECONDS,
            "ours": Sample((0.1, 0.2, 0.3)),
            "theirs": Sample((0.2, 0.6, 0.3)),
            "target": Target(2, 3),
            "flops": 100_000_000_000,
            "peak_gflops": 400.0,
        }
        return Result(**{**fields, **changes})

    return make


def test_sample_has_median_and_range():
    sample = Sample((3.0, 1.0, 2.0))
    assert (sample.least, sample.median, sample.most) == (1, 2, 3)
    assert sample.scaled(lambda value: 2 * value).values == (6, 2, 4)


def test_ratio_is_the_median_over_the_turns_not_that_of_the_medians():
    assert median_ratio(Sample((2.0, 9.0, 4.0)), Sample((1.0, 3.0, 4.0))) == 2


def test_contestants_take_turns_and_the_first_does_not_count(no_pause):
    order = []

    def runner(name):
        def turn():
            order.append(name)
            return float(len(order))

        return turn

    samples = take_turns([runner("a"), runner("b")], 2)
    assert order == ["a", "b"] * 3
    assert [sample.values for sample in samples] == [(3, 5), (4, 6)]


def test_short_works_are_repeated_until_they_fill_a_turn(monkeypatch):
    now, calls = 0.0, 0

    def run():
        nonlocal now, calls
        now += timing.LEAST_SECONDS / 4
        calls += 1

    monkeypatch.setitem(timing.CLOCKS, "wall", lambda: now)
    turn = timed(run, units=2)
    assert turn() == pytest.approx(timing.LEAST_SECONDS / 8)
    assert calls == 2 + 4
    assert turn() == pytest.approx(timing.LEAST_SECONDS / 8)
    assert calls == 2 + 4 + 4


@pytest.mark.parametrize(
    ("target", "ratio", "verdict"),
    [
        (Target(2, 3), 3.0, "goal"),
        (Target(2, 3), 2.99, "bar"),
        (Target(2, 3), 2.0, "bar"),
        (Target(2, 3), 1.99, "missed"),
        (Target(0.7, 0.5), 0.5, "goal"),
        (Target(0.7, 0.5), 0.51, "bar"),
        (Target(0.7, 0.5), 0.71, "missed"),
    ],
)
def test_verdict_compares_with_bar_and_goal(target, ratio, verdict):
    assert target.verdict(ratio) == verdict


def test_result_renders_times_ratio_verdict_and_rates(make_result):
    cells = dict(zip(HEADINGS, make_result().cells(), strict=True))
    assert cells["SKD"] == "200 (100-300) ms"
    assert cells["other"] == "300 (200-600) ms"
    assert cells["ratio"] == "2.00"
    assert cells["bar (goal)"] == "2 (3)"
    assert cells["met"] == "bar"
    assert cells["GFLOP/s (of peak), SKD / other"] == "500 (125%) / 333 (83%)"


def test_images_per_second_are_shown_with_the_least_first(make_result):
    result = make_result(unit=Unit.SECONDS_PER_IMAGE, flops=None)
    cells = dict(zip(HEADINGS, result.cells(), strict=True))
    assert cells["SKD"] == "5.00 (3.33-10.0) images/s"
    assert cells["GFLOP/s (of peak), SKD / other"] == "-"


def test_memory_is_ours_over_theirs(make_result):
    result = make_result(
        unit=Unit.BYTES, ours=Sample((3e8,)), theirs=Sample((6e8,)), target=Target(0.7, 0.5)
    )
    assert result.ratio == 0.5
    assert result.verdict == "goal"
    assert "300 (300-300) MB" in result.cells()


def test_weak_scaling_is_seconds_alone_for_each_second_together():
    samples = Sample((0.9, 1.8)), Sample((0.95, 2.0)), Sample((1.0, 2.0))
    row = WeakScaling(Work(Kind.GEN0, 32, 16), *samples)
    assert row.efficiency == pytest.approx(0.9)
    assert row.ceiling == pytest.approx((0.9 / 0.95 + 0.9) / 2)
    assert row.cells()[-3:] == ("90.0%", "0.9 (0.95)", "bar")
    assert json.loads(json.dumps(row.content()))["together"] == [1, 2]


def test_what_another_clock_took_is_not_judged(make_result):
    assert make_result(judged=False).verdict == "not judged"


def test_content_is_json_with_every_value(make_result):
    content = json.loads(json.dumps(make_result().content()))
    assert content["ours"] == [0.1, 0.2, 0.3]
    assert content["ratio"] == 2
    assert content["verdict"] == "bar"
    assert content["gflops"]["ours"] == 500


@pytest.mark.parametrize(
    ("value", "text"), [(1234.5, "1234"), (99.96, "100.0"), (12.34, "12.3"), (1.234, "1.23")]
)
def test_numbers_have_three_digits_at_least(value, text):
    assert number(value) == text


def test_spread_is_median_and_range():
    assert spread(Sample((1.0, 200.0, 30.0))) == "30.0 (1.00-200)"


def test_table_has_a_rule_below_its_headings():
    lines = markdown_table(["a", "b"], [["1", "2"]])
    assert lines == ["| a | b |", "| --- | --- |", "| 1 | 2 |"]


def test_report_is_written_as_json_and_markdown(tmp_path):
    write_report(tmp_path / "new", "speed", {"turns": 3}, ["# Speed"])
    assert json.loads((tmp_path / "new" / "speed.json").read_text()) == {"turns": 3}
    assert (tmp_path / "new" / "speed.md").read_text() == "# Speed\n"


def test_a_command_is_shown_without_folders_of_this_machine():
    words = ["/home/me/skd/benchmarks/layers.py", "--output", "/tmp/new folder", "--turns", "3"]
    expected = "python benchmarks/layers.py --output 'new folder' --turns 3"
    assert shown_command(words) == expected


def test_only_what_stands_between_the_markers_is_replaced():
    text = f"before\n{STEPS.begin}\nold\n{STEPS.end}\nafter\n"
    once = STEPS.replaced(text, ["new"])
    assert once == f"before\n{STEPS.begin}\n\nnew\n\n{STEPS.end}\nafter\n"
    assert STEPS.replaced(once, ["new"]) == once


@pytest.mark.parametrize(
    "text",
    ["", STEPS.begin, STEPS.end + STEPS.begin, STEPS.begin + STEPS.begin + STEPS.end],
)
def test_a_readme_without_its_markers_is_refused(text):
    with pytest.raises(ValueError, match="the README must hold"):
        STEPS.replaced(text, ["new"])


@pytest.mark.parametrize("table", [STEPS, EMBEDDING])
def test_the_readme_has_the_markers_of_each_table(table):
    assert "new table" in table.replaced(README.read_text(), ["new table"])


def test_operations_count_the_views_that_pass_through_the_networks():
    embed = Work(Kind.EMBED, 32, 16).flops
    steps = [Work(kind, 32, 16).flops for kind in (Kind.GEN0, Kind.GEN1_ALL, Kind.GEN1_TWINS)]
    gen0, gen1_all, gen1_twins = steps
    assert gen1_all == gen0 + embed  # the teacher sees the upright images
    assert gen1_twins == gen0 / 2 + embed
    assert 2.9 * 4 < gen0 / embed < 3 * 4
    assert Work(Kind.AUGMENT, 32, 16).flops is None


def test_a_name_says_views_and_precision():
    assert Work(Kind.GEN0, 32, 16).name == "Gen-0 step, 32 px, 16 x 4 images"
    assert Work(Kind.EMBED, 84, 1).name == "embed, 84 px, 1 image"
    assert Work(Kind.GEN0, 84, 4, "bfloat16").name.endswith(", bfloat16")


def test_a_task_survives_its_way_to_another_process():
    task = Task("skd", Work(Kind.GEN1_ALL, 84, 4), threads=2, clock="processor")
    assert Task.from_json(task.to_json()) == task


def test_a_contestant_in_another_process_tells_its_memory_and_ends():
    with Contestant(Task("skd", Work(Kind.EMBED, 32, 1), threads=1)) as contestant:
        parameters = 4 * 12_465_604
        assert contestant.memory() > parameters
        assert contestant.peak_gflops > 0


def test_a_worker_that_fails_is_reported():
    task = Task("skd", Work(Kind.EMBED, 7, 1), threads=1)
    with Contestant(task) as contestant, pytest.raises(RuntimeError, match="status 1"):
        contestant.memory()


def test_a_worker_that_cannot_begin_is_reported():
    contestant = Contestant(Task("skd", Work(Kind.EMBED, 32, 1), threads=0))
    with pytest.raises(RuntimeError, match="status 1"), contestant:
        pass
