"""The plan of a training: its steps, and that measuring changes nothing."""

import numpy as np
import pytest
import run_fit

import skd


@pytest.fixture
def trainer(make_model):
    return skd.Gen0(make_model())


def test_a_plan_counts_steps_and_validations_and_adds_their_times(trainer):
    split = run_fit.make_split(4, 10, seed=3)
    plan = trainer.plan(split, epochs=5, batch_size=20, val=split, val_every=2)
    assert (plan.epochs, plan.steps_per_epoch) == (5, len(split) // 20)
    assert (plan.steps, plan.steps_done) == (5 * plan.steps_per_epoch, 0)
    assert plan.training_seconds == pytest.approx(plan.steps * plan.seconds_per_step)
    assert plan.validation_seconds == pytest.approx(3 * len(split) * plan.seconds_per_image)
    assert plan.seconds == plan.training_seconds + plan.validation_seconds
    assert plan.step_bytes == trainer.step_memory(20)
    assert plan.available_bytes > 0
    assert f"5 epochs of {plan.steps_per_epoch} steps" in repr(plan)


def test_a_plan_changes_neither_trainer_nor_model(trainer):
    before = trainer.snapshot()
    trainer.plan(run_fit.make_split(4, 10, seed=3), epochs=2, batch_size=20)
    for state, earlier in zip(trainer.snapshot(), before, strict=True):
        for name, array in state.items():
            np.testing.assert_array_equal(array, earlier[name])
    assert trainer.model.normalization is None


def test_a_plan_of_a_resumed_training_counts_what_remains(trainer, make_model, tmp_path):
    split = run_fit.make_split(4, 10, seed=3)
    options = {"batch_size": 20, "val_every": 2, "progress": False}
    trainer.fit(split, epochs=3, val=split, checkpoint_dir=tmp_path, **options)
    again = {"val": split, "checkpoint_dir": tmp_path, "resume": True, **options}
    plan = skd.Gen0(make_model()).plan(split, epochs=5, **again)
    per_epoch = plan.steps_per_epoch
    assert (plan.steps, plan.steps_done) == (5 * per_epoch, 3 * per_epoch)
    assert plan.training_seconds == pytest.approx(2 * per_epoch * plan.seconds_per_step)
    # After the epochs 4 and 5.
    assert plan.validation_seconds == pytest.approx(2 * len(split) * plan.seconds_per_image)
    finished = skd.Gen0(make_model()).plan(split, epochs=3, **again)
    assert finished.seconds == finished.seconds_per_step == 0


def test_a_plan_weighs_the_sizes_of_progressive_resizing(trainer):
    split = run_fit.make_split(4, 10, seed=3)
    sizes = {"image_sizes": [16, 32], "resize_epochs": [9]}
    mixed = trainer.plan(split, epochs=10, batch_size=20, **sizes)
    assert mixed.step_bytes == trainer.step_memory(20, image_size=32)
    assert mixed.steps == 10 * mixed.steps_per_epoch


def test_a_plan_refuses_what_fit_would_refuse(trainer):
    split = run_fit.make_split(4, 10, seed=3)
    with pytest.raises(ValueError, match=r"'batch_size' parameter of Gen0\.plan"):
        trainer.plan(split, epochs=1, batch_size=10_000)
    with pytest.raises(TypeError, match=r"'split' parameter of Gen0\.plan"):
        trainer.plan(split.images, epochs=1)
    with pytest.raises(TypeError, match="epochs"):
        trainer.plan(split)
    with pytest.raises(TypeError, match="speed"):
        trainer.plan(split, epochs=1, speed=2)
