"""A wrong step, trainer or schedule raises a clear error and changes nothing."""

import numpy as np
import pytest
from bad_input import INF, WRONG_BATCHES, assert_refused, assert_unchanged, snapshot

import skd

IMAGES = np.zeros((2, 4, 4, 3), dtype=np.float32)

WRONG_OPTIONS = {
    "step_lr beyond floats": (
        ValueError,
        "'factor'",
        lambda: skd.step_lr(3, base=1e308, factor=1e308, decay_epochs=[1]),
    ),
    "step_lr of epoch 0": (ValueError, "'epoch'", lambda: skd.step_lr(0, base=1)),
    "step_lr with one decay epoch": (
        TypeError,
        "'decay_epochs'",
        lambda: skd.step_lr(1, base=1, decay_epochs=3),
    ),
    "cosine_lr beyond the end": (
        ValueError,
        "'epoch'",
        lambda: skd.cosine_lr(5, epochs=4, base=1),
    ),
    "one_cycle_lr beyond the end": (
        ValueError,
        "'progress'",
        lambda: skd.one_cycle_lr(5, epochs=4, base=1),
    ),
    "one_cycle_lr that only rises": (
        ValueError,
        "'warmup_epochs'",
        lambda: skd.one_cycle_lr(1, epochs=4, base=1, warmup_epochs=4),
    ),
    "SGD with momentum 1": (ValueError, "'momentum'", lambda: skd.SGD(momentum=1)),
    "SGD with an infinite rate": (ValueError, "'lr'", lambda: skd.SGD(lr=INF)),
    "SGD with a rate in words": (TypeError, "'lr'", lambda: skd.SGD(lr="fast")),
    "no threads": (ValueError, "'count'", lambda: skd.set_num_threads(0)),
}


@pytest.mark.parametrize("case", WRONG_OPTIONS)
def test_wrong_argument_is_named(case):
    assert_refused(*WRONG_OPTIONS[case])


@pytest.mark.parametrize("case", WRONG_BATCHES)
@pytest.mark.parametrize("objective", [skd.Gen0, skd.Supervised])
@pytest.mark.parametrize("method", ["step", "loss"])
def test_a_wrong_batch_leaves_the_model_unchanged(make_model, batch, case, objective, method):
    model = make_model()
    trainer = objective(model)
    before = snapshot(model)
    with pytest.raises((ValueError, TypeError), match=r"must|at least"):
        getattr(trainer, method)(*WRONG_BATCHES[case](*batch))
    assert_unchanged(model, before)
    assert trainer.steps_taken == 0


def test_a_diverging_step_raises_and_updates_nothing(make_model, batch):
    model = make_model()
    gen0 = skd.Gen0(model, optimizer=skd.SGD(lr=1e30))
    states = []

    def train():
        for _ in range(10):
            states.append((snapshot(model), gen0.steps_taken))
            gen0.step(*batch)

    with pytest.raises(skd.NonFiniteLossError):
        train()
    before, steps = states[-1]
    assert_unchanged(model, before)
    assert gen0.steps_taken == steps


def test_gen0_needs_a_rotation_head(make_model):
    with pytest.raises(ValueError, match="rotation head"):
        skd.Gen0(make_model(rotation_head=False))
    with pytest.raises(ValueError, match="rotation head"):
        make_model(rotation_head=False).rotation_logits(IMAGES)


@pytest.mark.parametrize("options", [{"num_classes": 6}, {"image_size": 32}, {"input_channels": 1}])
def test_gen1_refuses_a_teacher_of_another_kind(make_model, options):
    (name,) = options
    with pytest.raises(ValueError, match=name):
        skd.Gen1(make_model(), make_model(**options))


def test_gen1_refuses_wrong_options(make_model):
    student, teacher = make_model(), make_model()
    with pytest.raises(ValueError, match="'teacher'"):
        skd.Gen1(student, student)
    with pytest.raises(TypeError, match="'teacher'"):
        skd.Gen1(student, None)
    for twins in ((), (180, 180), (45,)):
        with pytest.raises(ValueError, match="'twin_rotations'"):
            skd.Gen1(student, teacher, twin_rotations=twins)
    with pytest.raises(TypeError, match="'twin_rotations'"):
        skd.Gen1(student, teacher, twin_rotations=180)
    with pytest.raises(ValueError, match="'all'"):
        skd.Gen1(student, teacher, bn_views="some")
    with pytest.raises(ValueError, match="'temperature'"):
        skd.Gen1(student, teacher, temperature=0)
    with pytest.raises(TypeError, match="'optimizer'"):
        skd.Gen1(student, teacher, optimizer="sgd")


def test_fit_checks_every_option_before_the_first_step(make_model, make_split):
    model = make_model()
    gen0, before = skd.Gen0(model), snapshot(model)
    for options in (
        {"callbacks": 3},
        {"flip": "no"},
        {"decay_factor": 1e300, "decay_epochs": [1], "epochs": 3},
    ):
        with pytest.raises((ValueError, TypeError), match=r"parameter of Gen0\.fit"):
            gen0.fit(make_split(), **{"epochs": 1, "batch_size": 20, **options})
    assert_unchanged(model, before)
    assert model.normalization is None


def test_a_checkpoint_folder_that_cannot_be_made_is_refused_first(
    make_model, make_split, tmp_path, monkeypatch
):
    model = make_model()
    gen0, before = skd.Gen0(model), snapshot(model)
    (tmp_path / "file").write_text("mine")
    options = {"epochs": 1, "batch_size": 20, "progress": False}
    for folder in (tmp_path / "file", tmp_path / "file" / "checkpoints"):
        with pytest.raises(NotADirectoryError, match=r"'checkpoint_dir' parameter of Gen0\.fit"):
            gen0.fit(make_split(), **options, checkpoint_dir=folder)
    monkeypatch.setattr("os.access", lambda path, mode: False)
    with pytest.raises(PermissionError, match=r"'checkpoint_dir' .* is read-only"):
        gen0.fit(make_split(), **options, checkpoint_dir=tmp_path / "new")
    assert_unchanged(model, before)
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_a_single_class_is_no_validation_set(make_model, make_split):
    model = make_model()
    gen0, before = skd.Gen0(model), snapshot(model)
    with pytest.raises(ValueError, match=r"'val' parameter of Gen0\.fit .* at least 2 classes"):
        gen0.fit(make_split(), epochs=1, batch_size=20, val=make_split(num_classes=1))
    assert_unchanged(model, before)
