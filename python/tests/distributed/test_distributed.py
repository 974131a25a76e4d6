"""Training and evaluation in several MPI processes, beside one."""

import json
import shutil
import signal
import sys
from pathlib import Path

import mpi4py
import numpy as np
import pytest
import run_ranks
from mpi_launch import launch
from run_ranks import OBJECTIVES

import skd

SCRIPT = Path(run_ranks.__file__)


def run(ranks, job, folder):
    done = launch(ranks, SCRIPT, job, folder)
    assert done.returncode == 0, done.stderr
    return json.loads((folder / f"{job}.json").read_text())


@pytest.fixture(scope="module")
def one():
    """Return the losses and the state of each objective, trained in this process."""
    return {name: run_ranks.train(name) for name in OBJECTIVES}


@pytest.fixture(scope="module", params=[2, 3])
def several(request, tmp_path_factory):
    """Return ranks, results and folder of the steps in several ranks; 3 have unequal parts."""
    folder = tmp_path_factory.mktemp("steps")
    return request.param, run(request.param, "steps", folder), folder


@pytest.fixture(scope="module")
def fitted(tmp_path_factory):
    """Return results and folder of a fit and evaluations in two ranks."""
    folder = tmp_path_factory.mktemp("fit")
    return run(2, "fit", folder), folder


def assert_close_states(path, expected, tolerance=1e-4):
    """Compare states; the tolerance is a part of the largest value of each array.

    Rounding differs from the first sum on. In a longer run it moves a maximum of a pooling, as any
    change of the last bit of a weight does: then velocities differ by half a percent.
    """
    with np.load(path) as found:
        assert set(found) == set(expected)
        for name, array in expected.items():
            atol = tolerance * float(np.abs(array).max())
            np.testing.assert_allclose(found[name], array, rtol=0, atol=atol, err_msg=name)


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_ranks_take_the_steps_of_one_process_with_the_whole_batch(one, several, objective):
    _, results, folder = several
    losses, state = one[objective]
    np.testing.assert_allclose(results["losses"][objective], losses, rtol=1e-5, atol=1e-5)
    assert_close_states(folder / f"{objective}.npz", state)


def test_all_ranks_hold_the_same_bits(several):
    ranks, results, _ = several
    assert len(results["digests"]) == ranks
    for name in OBJECTIVES:
        assert len({digests[name] for digests in results["digests"]}) == 1


def test_ranks_have_the_same_bits_on_every_repeat(several, tmp_path):
    ranks, results, _ = several
    assert run(ranks, "steps", tmp_path) == results


def test_statistics_of_each_rank_give_other_losses_and_differ_between_ranks(one, several):
    _, results, _ = several
    losses = np.array(results["losses"]["apart"])
    assert np.isfinite(losses).all()
    assert not np.allclose(losses[0], one["gen0"][0][0], rtol=1e-3)
    assert len({digests["apart"] for digests in results["digests"]}) > 1


def test_fit_in_ranks_is_that_of_one_process(fitted):
    results, folder = fitted
    losses, state, _ = run_ranks.fit()
    np.testing.assert_allclose(results["losses"], losses, rtol=1e-4, atol=1e-5)
    assert_close_states(folder / "fit.npz", state, tolerance=1e-2)
    (whole, apart) = zip(*results["digests"], strict=True)
    assert len(set(whole)) == 1
    assert len(set(apart)) == 1  # the statistics of the first rank, in the end


def test_the_first_rank_alone_writes_checkpoints_that_load(fitted):
    _, folder = fitted
    names = sorted(path.name for path in (folder / "whole").iterdir())
    assert names == [
        "best.safetensors",
        "step-000000050010.safetensors",
        "step-000000050015.safetensors",
    ]
    model = skd.load_model(folder / "whole" / names[-1])
    with np.load(folder / "fit.npz") as found:
        for name, view in model.state_dict().items():
            np.testing.assert_array_equal(view, found[f"model.{name}"])


def test_a_checkpoint_of_two_ranks_resumes_on_one_and_on_three(fitted, tmp_path):
    results, folder = fitted
    for name in ("one", "three"):
        shutil.copytree(folder / "broken", tmp_path / name / "broken")
    with pytest.warns(UserWarning, match="'ranks': 2"):
        losses, state, _ = run_ranks.fit(folder=tmp_path / "one" / "broken", resume=True)
    np.testing.assert_allclose(losses, results["losses"], rtol=1e-4, atol=1e-5)
    assert_close_states(folder / "fit.npz", state, tolerance=1e-2)
    three = run(3, "resume", tmp_path / "three")
    np.testing.assert_allclose(three["losses"], results["losses"], rtol=1e-4, atol=1e-5)
    assert len(set(three["digests"])) == 1
    assert_close_states(tmp_path / "three" / "resumed.npz", state, tolerance=1e-2)


def test_evaluation_in_ranks_gives_the_report_of_one_process_to_the_bit(fitted, tmp_path):
    results, folder = fitted
    alone = [
        run_ranks.evaluate(folder=tmp_path),
        run_ranks.evaluate(n_support_copies=1, support_augmentation="none"),
    ]
    assert results["reports"] == [report.to_json() for report in alone]
    assert results["same"]
    name = "episodes.safetensors"
    assert (folder / name).read_bytes() == (tmp_path / name).read_bytes()


def test_what_fails_in_one_rank_raises_in_all_and_changes_nothing(tmp_path):
    first, second = run(2, "refusals", tmp_path)
    assert second["failing"] == "ZeroDivisionError: only here"
    assert "terms of step 1 must succeed in every process" in first["failing"]
    assert second["infinite"].startswith("NonFiniteLossError: term 'infinite' of step 1")
    assert first["infinite"].startswith("SKDError: terms of step 1")
    assert "'labels' parameter of Gen0.step must be of length 4, one for each" in second["lengths"]
    assert first["lengths"].startswith("SKDError: Rank 1 failed: ValueError: The 'labels'")
    for rank in (first, second):
        assert not rank["failing changed"]
        assert not rank["infinite changed"]
        assert "'communicator' parameter of Gen0" in rank["models"]
        assert "rank 1 with model" in rank["models"]
        assert "rank 1 with seed 2 instead of 1" in rank["options"]
        assert (
            "'batch_size' parameter of Gen0.fit must be at least the number of ranks, 2"
            in rank["few"]
        )
        assert "rank 1 with seed 1 instead of 0" in rank["data"]
        assert rank["still works"] == "nothing"
    assert first["folder"].startswith("NotADirectoryError")
    assert second["folder"].startswith("SKDError: Rank 0 failed: NotADirectoryError")


def test_a_signal_to_one_rank_stops_all_at_the_same_step_and_the_run_resumes(tmp_path):
    done = launch(2, SCRIPT, "stopped", tmp_path)
    assert done.returncode == 128 + signal.SIGTERM, done.stderr
    folder = tmp_path / "stopped"
    assert [path.name for path in folder.iterdir()] == ["step-000000050003.safetensors"]
    whole, expected, _ = run_ranks.fit(objective="supervised")
    with pytest.warns(UserWarning, match="'ranks': 2"):
        losses, state, _ = run_ranks.fit(folder=folder, objective="supervised", resume=True)
    np.testing.assert_allclose(losses, whole, rtol=1e-4, atol=1e-5)
    assert set(state) == set(expected)


def test_a_callback_of_one_rank_ends_the_training_of_all(tmp_path):
    assert run(2, "early", tmp_path) == [2, 2]


@pytest.mark.parametrize(("job", "reason"), [("lost", "TypeError"), ("script", "a mistake")])
def test_a_rank_that_fails_alone_ends_all(tmp_path, job, reason):
    done = launch(2, SCRIPT, job, tmp_path)
    assert done.returncode != 0
    assert reason in done.stderr
    assert "skd: rank 1 of 2 failed; all ranks are aborted." in done.stderr


def test_without_mpi4py_the_error_names_it(monkeypatch, make_model):
    monkeypatch.setitem(sys.modules, "mpi4py", None)
    monkeypatch.setenv("PMI_RANK", "0")
    with pytest.raises(ImportError, match=r"pip install mpi4py"):
        skd.distributed.launched_communicator()
    with pytest.raises(ImportError, match=r"pip install mpi4py"):
        skd.Gen0(make_model(), communicator="world")


def test_a_communicator_of_another_kind_is_refused(monkeypatch, make_model):
    monkeypatch.setattr(mpi4py.rc, "initialize", False)  # this process is no rank
    with pytest.raises(TypeError, match="'communicator' parameter of Gen0 must be a Intracomm"):
        skd.Gen0(make_model(), communicator="world")
