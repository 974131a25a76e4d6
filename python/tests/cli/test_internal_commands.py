"""Internals of ``skd bench``: its works, speeds and measurements."""

import pytest

from skd.cli import _bench


def test_bench_prints_a_row_for_each_work(run, monkeypatch):
    works = (_bench.Work("embed", 32, 1), _bench.Work("embed", 84, 1))
    monkeypatch.setattr(_bench, "WORKS", works)
    result = run("bench", "--size", "32", "--runs", "1", "--threads", "1")
    assert result.exit_code == 0
    assert "1 threads" in result.output
    assert "embed, 32 px, 1 image " in result.output
    assert "84 px" not in result.output
    assert "Peak of multiply-adds" in result.output


def test_speed_is_images_and_operations_per_second():
    speed = _bench.Speed(_bench.Work("embed", 32, 64), seconds=0.5, peak_gflops=200.0)
    assert speed.images_per_second == 128
    assert speed.gflops == pytest.approx(64 * 2 * 0.523108352 / 0.5)
    assert speed.share == pytest.approx(speed.gflops / 200)
    assert speed.cells() == ("embed, 32 px, 64 images", "500.0", "128", "134", "67%")


def test_a_step_counts_all_four_views():
    step, embed = _bench.Work("Gen-0 step", 32, 16), _bench.Work("embed", 32, 64)
    assert step.name == "Gen-0 step, 32 px, 16 x 4 images"
    assert 2.9 < step.flops / embed.flops < 3


def test_measure_returns_the_median_and_leaves_out_the_first_run(monkeypatch):
    ticks = iter([0, 1, 10, 13, 20, 22])
    monkeypatch.setattr(_bench.time, "perf_counter", lambda: next(ticks))
    calls = []
    assert _bench.measure(lambda: calls.append(None), runs=3) == 2
    assert len(calls) == 4
