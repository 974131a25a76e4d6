"""Objectives and fit."""

import dataclasses

import numpy as np
import pytest
import run_fit

import skd

FIT = {"epochs": 2, "batch_size": 20, "progress": False}


def test_gen0_total_is_the_weighted_sum_of_its_terms(make_model, batch):
    losses = skd.Gen0(make_model(), alpha=0.5).loss(*batch)
    assert losses.total == pytest.approx(losses.cross_entropy + 0.5 * losses.rotation, rel=1e-6)
    assert losses.distillation == losses.twin == 0
    assert 0 <= losses.accuracy <= 1
    assert 0 <= losses.rotation_accuracy <= 1


def test_loss_computes_the_gradients_of_step_without_an_update(make_model, batch):
    model, twin = make_model(drop_rate=0), make_model(drop_rate=0)
    trainer, stepper = skd.Gen0(model), skd.Gen0(twin)
    before = {name: view.copy() for name, view in model.state_dict().items()}
    assert trainer.loss(*batch) == stepper.step(*batch)
    for name, gradient in trainer.gradients().items():
        np.testing.assert_array_equal(gradient, stepper.gradients()[name])
    for name, view in model.state_dict().items():
        np.testing.assert_array_equal(view, before[name])
    assert (trainer.steps_taken, stepper.steps_taken) == (0, 1)


def test_gradients_agree_with_finite_differences(make_model, batch):
    model = make_model(drop_rate=0)
    trainer = skd.Supervised(model)
    trainer.loss(*batch)
    gradient = trainer.gradients()["classifier.weight"].astype(np.float64)
    state = {name: view.copy() for name, view in model.state_dict().items()}
    direction = np.sign(gradient)
    step = 1e-2
    totals = []
    for sign in (1, -1):
        moved = state["classifier.weight"] + sign * step * direction
        model.load_state_dict({**state, "classifier.weight": moved})
        totals.append(trainer.loss(*batch).total)
    measured = (totals[0] - totals[1]) / (2 * step)
    # The loss is float32 and the step not small: 1 % covers both.
    assert measured == pytest.approx((gradient * direction).sum(), rel=1e-2)


def test_gen1_of_a_fresh_clone_without_twin_term_has_no_distillation_in_evaluation(make_model):
    teacher = make_model()
    student = teacher.clone()
    x = np.zeros((4, 16, 16, 3))
    np.testing.assert_array_equal(student.logits(x), teacher.logits(x))


def test_gen1_without_labels_reports_no_accuracy(make_model, batch):
    teacher = make_model()
    gen1 = skd.Gen1(teacher.clone(), teacher)
    assert gen1.loss(batch[0], None).accuracy == 0
    with_labels = gen1.loss(*batch)
    assert with_labels.total == gen1.loss(batch[0], None).total


def test_gen1_does_not_change_its_teacher(make_model, batch):
    teacher = make_model()
    before = {name: view.copy() for name, view in teacher.state_dict().items()}
    skd.Gen1(teacher.clone(), teacher).step(*batch)
    for name, view in teacher.state_dict().items():
        np.testing.assert_array_equal(view, before[name])


def test_the_learning_rate_can_be_changed(make_model, batch):
    still, moving = make_model(), make_model()
    trainer = skd.Supervised(still)
    trainer.learning_rate = 0.0
    before = still.state_dict()["classifier.weight"].copy()
    trainer.step(*batch)
    np.testing.assert_array_equal(still.state_dict()["classifier.weight"], before)
    skd.Supervised(moving).step(*batch)
    assert not np.array_equal(moving.state_dict()["classifier.weight"], before)
    with pytest.raises(ValueError, match="'learning_rate'"):
        trainer.learning_rate = -1
    assert trainer.learning_rate == 0.0


@pytest.mark.parametrize("objective", [skd.Supervised, skd.Gen0])
def test_fit_lowers_the_loss_and_records_each_epoch(make_model, make_split, objective):
    split = make_split()
    model = make_model(drop_rate=0)
    records = []
    trainer = objective(model, optimizer=skd.SGD(lr=0.05))
    history = trainer.fit(
        split,
        epochs=6,
        decay_epochs=[4],
        batch_size=20,
        progress=False,
        callbacks=[run_fit.OnEpoch(records.append)],
    )
    assert list(history) == records
    assert [record.epoch for record in history] == [1, 2, 3, 4, 5, 6]
    rates = [record.learning_rate for record in history]
    np.testing.assert_allclose(rates, [0.05] * 4 + [0.005] * 2)
    assert history[-1].losses.total < 0.7 * history[0].losses.total
    assert trainer.steps_taken == 6 * (len(split) // 20)
    assert all(record.seconds > 0 and record.images_per_second > 0 for record in history)
    assert history.best is None
    np.testing.assert_allclose(model.normalization.mean, split.mean)


def test_fit_of_gen1_lowers_the_loss(make_model, make_split):
    split, teacher = make_split(), make_model(drop_rate=0)
    skd.Gen0(teacher).fit(split, **FIT)
    gen1 = skd.Gen1(teacher.clone(), teacher, optimizer=skd.SGD(lr=0.01))
    history = gen1.fit(split, epochs=5, batch_size=20, schedule="cosine", progress=False)
    assert history[-1].losses.total < history[0].losses.total
    assert history[-1].learning_rate == pytest.approx(1e-5)


def test_fit_is_the_same_on_every_run_and_for_any_number_of_threads(make_model, make_split):
    split, states = make_split(), []
    threads = skd.get_num_threads()
    try:
        for count in (1, 2, 2):
            skd.set_num_threads(count)
            model = make_model()
            skd.Gen0(model, seed=3).fit(split, **FIT, seed=4)
            states.append(model.state_dict())
    finally:
        skd.set_num_threads(threads)
    for state in states[1:]:
        for name, view in state.items():
            np.testing.assert_array_equal(view, states[0][name], name)


def test_one_cycle_changes_the_rate_at_every_step(make_model, make_split):
    rates = []

    class Rates(skd.callbacks.Callback):
        def on_step(self, record):
            rates.append(record.learning_rate)

    trainer = skd.Supervised(make_model(), optimizer=skd.SGD(lr=0.1))
    split = make_split()
    trainer.fit(
        split,
        epochs=2,
        schedule="one_cycle",
        warmup_epochs=0.5,
        batch_size=len(split) // 4,
        callbacks=[Rates()],
        progress=False,
    )
    expected = [
        skd.one_cycle_lr(step / 4, epochs=2, base=0.1, warmup_epochs=0.5) for step in range(1, 9)
    ]
    assert rates == pytest.approx(expected, rel=1e-6)
    assert rates[-1] == pytest.approx(1e-4)


def test_warm_up_scales_the_rates_of_the_step_schedule(make_model, make_split):
    trainer = skd.Supervised(make_model(), optimizer=skd.SGD(lr=0.1))
    history = trainer.fit(
        make_split(), epochs=4, warmup_epochs=2, decay_epochs=[3], batch_size=4, progress=False
    )
    assert [record.learning_rate for record in history] == pytest.approx([0.05, 0.1, 0.1, 0.01])


def test_a_step_on_another_size_needs_that_size_named(make_model, batch):
    x, labels = batch
    larger = np.pad(x, ((0, 0), (2, 2), (2, 2), (0, 0)))
    gen0 = skd.Gen0(make_model())
    with pytest.raises(ValueError, match=r"'x' parameter of Gen0\.step must be of shape"):
        gen0.step(larger, labels)
    assert gen0.step(larger, labels, image_size=larger.shape[1]).total > 0
    smallest = gen0.model._native.minimum_image_size
    with pytest.raises(ValueError, match=r"'image_size' parameter of Gen0\.step"):
        gen0.step(larger, labels, image_size=smallest - 1)


def test_random_rotations_take_no_terms(make_model):
    term = skd.Term("zero", lambda rows, labels, views: (0.0, 0 * rows))
    with pytest.raises(ValueError, match="'terms' parameter of Gen0 must be empty"):
        skd.Gen0(make_model(), rotations_per_image=2, terms=[term])


def test_fit_reports_the_best_validated_epoch(make_model, make_split):
    split, val = make_split(), make_split(num_classes=3, per_class=6)
    history = skd.Gen0(make_model()).fit(
        split, epochs=3, batch_size=20, progress=False, val=val, val_every=2
    )
    assert [record.validation is not None for record in history] == [False, True, True]
    assert history.best.validation.mean == max(r.validation.mean for r in history[1:])
    assert history.best.validation.options["n_way"] == 3


def test_fit_stops_cleanly_when_interrupted(make_model, make_split):
    model = make_model()
    gen0 = skd.Gen0(model)

    def interrupt(record):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        gen0.fit(make_split(), **FIT, callbacks=[run_fit.OnEpoch(interrupt)])
    assert gen0.steps_taken == 5
    gen0.fit(make_split(), **FIT)
    assert gen0.steps_taken == 15


def test_fit_shows_a_bar_on_a_terminal_only(make_model, make_split, capsys):
    skd.Gen0(make_model()).fit(make_split(), epochs=1, batch_size=50)
    captured = capsys.readouterr()
    assert captured.out == captured.err == ""


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"epochs": 0}, "'epochs'"),
        ({"batch_size": 101}, "'batch_size'"),
        ({"batch_size": 0}, "'batch_size'"),
        ({"schedule": "linear"}, "'cosine'"),
        ({"augmentation": "blur"}, "'crop_flip'"),
        ({"decay_epochs": [0]}, "'decay_epochs'"),
        ({"decay_factor": -1}, "'decay_factor'"),
        ({"warmup_epochs": -1}, "'warmup_epochs'"),
        ({"warmup_epochs": 3}, "'warmup_epochs'"),
        ({"image_sizes": []}, "'image_sizes'"),
        ({"image_sizes": [15]}, "'image_sizes'"),
        ({"image_sizes": [4097]}, "'image_sizes'"),
        ({"image_sizes": [16, 24]}, "'resize_epochs'"),
        ({"image_sizes": [16, 24, 16], "resize_epochs": [2, 1]}, "'resize_epochs'"),
        ({"resize_epochs": [1]}, "'resize_epochs'"),
        ({"padding": -1}, "'padding'"),
        ({"val_every": 0}, "'val_every'"),
        ({"seed": -1}, "'seed'"),
    ],
)
def test_fit_refuses_wrong_options_before_anything_changes(make_model, make_split, options, named):
    model = make_model()
    gen0 = skd.Gen0(model)
    with pytest.raises(ValueError, match=named):
        gen0.fit(make_split(), **{**FIT, **options})
    assert gen0.steps_taken == 0
    assert model.normalization is None


def test_fit_refuses_a_split_of_another_kind(make_model, make_split):
    gen0 = skd.Gen0(make_model(num_classes=3))
    with pytest.raises(ValueError, match="classes"):
        gen0.fit(make_split(), **FIT)
    with pytest.raises(ValueError, match="pixels"):
        gen0.fit(make_split(num_classes=3, side=8), **FIT)
    with pytest.raises(TypeError, match="'split'"):
        gen0.fit([1, 2, 3], **FIT)
    single = make_split(num_classes=3, per_class=1)
    with pytest.raises(ValueError, match="'val'"):
        gen0.fit(make_split(num_classes=3), **FIT, val=single)


def test_uint8_batches_are_normalised_by_the_model(make_model, make_split):
    split = make_split()
    model = make_model(drop_rate=0)
    model.normalization = (split.mean, split.std)
    pixels, labels = split.images[::10], split.labels[::10]
    floats = skd.augment(pixels, seed=0, mode="none", mean=split.mean, std=split.std)
    np.testing.assert_array_equal(model.embed(pixels), model.embed(floats))
    trainer = skd.Supervised(model)
    assert trainer.loss(pixels, labels) == trainer.loss(floats, labels)


def test_records_are_frozen(make_model, make_split):
    history = skd.Gen0(make_model()).fit(make_split(), **FIT)
    with pytest.raises(dataclasses.FrozenInstanceError):
        history[0].epoch = 7
