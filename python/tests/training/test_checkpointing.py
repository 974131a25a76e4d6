"""The checkpoints of `fit`: what is kept, resumed, refused; damage and full disks."""

import errno
import os

import internals
import numpy as np
import pytest
import run_fit
from file_size_limit import file_size_limit

import skd

STEPS = 5  # of an epoch of run_fit


def names(folder):
    return sorted(os.listdir(folder))


def step_name(step):
    return f"step-{step:012}.safetensors"


def one_epoch(folder, trainer=None, **options):
    """Fit one epoch without validation; return the digest."""
    trainer = trainer or run_fit.make_trainer()
    history = run_fit.fit(trainer, folder, **{"epochs": 1, "val": None, **options})
    return run_fit.digest(trainer, history)


@pytest.fixture(scope="module")
def one_epoch_digest():
    return one_epoch(None)


class InterruptError(Exception):
    """Raised by a callback."""


def interrupt_after(epoch):
    def callback(record):
        if record.epoch == epoch:
            raise InterruptError

    return run_fit.OnEpoch(callback)


def test_the_last_two_and_the_best_are_kept(tmp_path):
    trainer = run_fit.make_trainer()
    history = run_fit.fit(trainer, tmp_path / "new" / "folder", epochs=4)
    folder = tmp_path / "new" / "folder"
    assert names(folder) == ["best.safetensors", step_name(18), step_name(20)]
    last = skd.load_model(folder / step_name(20))
    for name, view in trainer.model.state_dict().items():
        np.testing.assert_array_equal(last.state_dict()[name], view, name)
    assert last.normalization == trainer.model.normalization
    best = skd.load_model(folder / "best.safetensors")
    result = skd.evaluate(
        best,
        run_fit.make_split(3, 4, seed=4),
        n_way=3,
        n_query=3,
        n_episodes=200,
        support_augmentation="none",
        seed=5,
    )
    assert result.mean == history.best.validation.mean


@pytest.mark.parametrize("epoch", [1, 2, 3])
def test_a_resumed_run_ends_with_the_bits_and_history_of_an_uninterrupted_one(tmp_path, epoch):
    steady = run_fit.make_trainer()
    expected = run_fit.digest(steady, run_fit.fit(steady, None))
    with pytest.raises(InterruptError):
        run_fit.fit(run_fit.make_trainer(), tmp_path, callbacks=[interrupt_after(epoch)])
    trainer, epochs = run_fit.make_trainer(), []
    append_epoch = run_fit.OnEpoch(lambda record: epochs.append(record.epoch))
    history = run_fit.fit(trainer, tmp_path, callbacks=[append_epoch])
    assert run_fit.digest(trainer, history) == expected
    assert epochs == list(range(epoch + 1, 5))


FAST = {
    "schedule": "one_cycle",
    "decay_epochs": [],
    "warmup_epochs": 1.25,
    "image_sizes": [16, 24, 20],
    "resize_epochs": [1, 3],
}


@pytest.mark.parametrize("epoch", [1, 3])
def test_random_rotations_and_growing_images_are_resumed_bit_for_bit(tmp_path, epoch):
    def trainer():
        model = other_model()
        optimizer = skd.SGD(lr=0.02)
        return skd.Gen0(model, rotations_per_image=2, optimizer=optimizer, seed=2)

    steady = trainer()
    expected = run_fit.digest(steady, run_fit.fit(steady, None, **FAST))
    with pytest.raises(InterruptError):
        run_fit.fit(trainer(), tmp_path, callbacks=[interrupt_after(epoch)], **FAST)
    threads = skd.get_num_threads()
    try:
        skd.set_num_threads(threads + 1)
        resumed = trainer()
        history = run_fit.fit(resumed, tmp_path, **FAST)
    finally:
        skd.set_num_threads(threads)
    assert run_fit.digest(resumed, history) == expected


def test_threads_and_prefetching_may_change_in_between(tmp_path):
    steady = run_fit.make_trainer()
    expected = run_fit.digest(steady, run_fit.fit(steady, None))
    threads = skd.get_num_threads()
    try:
        with pytest.raises(InterruptError):
            run_fit.fit(run_fit.make_trainer(), tmp_path, callbacks=[interrupt_after(2)])
        skd.set_num_threads(threads + 1)
        trainer = run_fit.make_trainer()
        history = run_fit.fit(trainer, tmp_path, prefetch=False, save_every_steps=None)
    finally:
        skd.set_num_threads(threads)
    assert run_fit.digest(trainer, history) == expected


def test_a_finished_run_is_resumed_without_training(tmp_path, one_epoch_digest):
    one_epoch(tmp_path)
    before = names(tmp_path)
    assert one_epoch(tmp_path, callbacks=[interrupt_after(1)]) == one_epoch_digest
    assert names(tmp_path) == before


def test_a_finished_run_can_be_made_longer_under_the_step_schedule(tmp_path):
    one_epoch(tmp_path)
    assert one_epoch(tmp_path, epochs=2) == one_epoch(None, epochs=2)
    with pytest.raises(ValueError, match="epochs 1 after 2"):
        one_epoch(tmp_path, epochs=1)


def test_checkpoints_are_not_overwritten_unless_resumed(tmp_path):
    one_epoch(tmp_path)
    before = names(tmp_path)
    with pytest.raises(ValueError, match="resume=True"):
        one_epoch(tmp_path, resume=False)
    assert names(tmp_path) == before


def other_model(**options):
    defaults = {"num_classes": 4, "image_size": 16, "widths": (4, 4, 8, 8), "seed": 1}
    return skd.create_model("resnet12", **{**defaults, **options})


OTHER_RUNS = {
    "batch_size": {"batch_size": 10},
    "decay_epochs": {"decay_epochs": [1]},
    "augmentation": {"augmentation": "crop_flip"},
    "flip": {"flip": False},
    "padding": {"padding": 1},
    "seed": {"seed": 6},
    "val_every": {"val_every": 1},
    "val": {"val": run_fit.make_split(3, 4, seed=5)},
    "schedule": {"schedule": "cosine"},
    "warmup_epochs": {"warmup_epochs": 0.5},
    "image_sizes": {"image_sizes": [20]},
    "rotations_per_image": {
        "trainer": skd.Gen0(
            other_model(), rotations_per_image=2, optimizer=skd.SGD(lr=0.02), seed=2
        )
    },
    "trainer seed": {"trainer": skd.Gen0(other_model(), optimizer=skd.SGD(lr=0.02), seed=3)},
    "alpha": {"trainer": skd.Gen0(other_model(), alpha=1, optimizer=skd.SGD(lr=0.02), seed=2)},
    "momentum": {
        "trainer": skd.Gen0(other_model(), optimizer=skd.SGD(lr=0.02, momentum=0.8), seed=2)
    },
    "objective": {"trainer": skd.Supervised(other_model(), optimizer=skd.SGD(lr=0.02), seed=2)},
    "model widths": {
        "trainer": skd.Gen0(other_model(widths=(4, 4, 8, 12)), optimizer=skd.SGD(lr=0.02), seed=2)
    },
}


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """Return the folder of a run of one epoch."""
    folder = tmp_path_factory.mktemp("finished")
    one_epoch(folder)
    return folder


@pytest.mark.parametrize("name", OTHER_RUNS)
def test_another_run_is_refused_with_the_difference_named(finished, name):
    options = dict(OTHER_RUNS[name])
    trainer = options.pop("trainer", None) or run_fit.make_trainer()
    model = trainer.model
    before, files = run_fit.digest(trainer, []), names(finished)
    with pytest.raises(ValueError, match=f"{name} .* instead of") as caught:
        one_epoch(finished, trainer, **options)
    if name not in ("schedule", "objective"):  # which bring and lose options
        assert str(caught.value).count("instead of") == 1
    assert run_fit.digest(trainer, []) == before
    assert model.normalization is None
    assert names(finished) == files


def test_other_data_and_another_teacher_are_refused(tmp_path, make_model, make_split):
    split, teacher = make_split(), make_model(seed=3)

    def fit(teacher, split):
        gen1 = skd.Gen1(make_model(seed=1), teacher)
        gen1.fit(
            split, epochs=1, batch_size=50, checkpoint_dir=tmp_path, resume=True, progress=False
        )

    fit(teacher, split)
    images = split.images.copy()
    images[-1, -1, -1, -1] ^= 1
    other = skd.datasets.from_arrays(images, split.labels, mean=split.mean, std=split.std)
    with pytest.raises(ValueError, match=r"data .* instead of"):
        fit(teacher, other)
    with pytest.raises(ValueError, match=r"teacher .* instead of"):
        fit(make_model(seed=4), split)


def test_options_of_checkpoints_need_a_folder(make_model, make_split):
    gen0 = skd.Gen0(make_model())
    for options in ({"resume": True}, {"save_every_steps": 3}):
        with pytest.raises(ValueError, match="checkpoint_dir"):
            gen0.fit(make_split(), epochs=1, **options)
    with pytest.raises(ValueError, match="'save_every_steps'"):
        gen0.fit(make_split(), epochs=1, checkpoint_dir="unused", save_every_steps=0)
    with pytest.raises(TypeError, match="'checkpoint_dir'"):
        gen0.fit(make_split(), epochs=1, checkpoint_dir=3)


# --- damage


def damage(data, place, kind):
    """Return the bytes of a file, cut at a place or with one bit of it flipped."""
    if kind == "cut":
        return data[:place]
    return data[:place] + bytes([data[place] ^ (1 << place % 8)]) + data[place + 1 :]


@pytest.mark.parametrize("kind", ["cut", "flipped"])
def test_damage_anywhere_is_found_and_the_checkpoint_before_goes_on(
    tmp_path, finished, one_epoch_digest, kind
):
    files = {name: (finished / name).read_bytes() for name in names(finished)}
    newest = step_name(STEPS)
    size = len(files[newest])
    header = 8 + int.from_bytes(files[newest][:8], "little")
    seal = files[newest].index(b"skd.sha256")
    places = [0, 3, 7, 8, seal + 2, seal + 20, header - 1, header, size - 1]
    places += np.linspace(9, size - 2, 16).astype(int).tolist()
    for place in places:
        for name, data in files.items():
            (tmp_path / name).write_bytes(data)
        (tmp_path / newest).write_bytes(damage(files[newest], place, kind))
        with pytest.warns(UserWarning, match="damaged"):
            assert one_epoch(tmp_path) == one_epoch_digest, place
        assert newest + ".damaged" in names(tmp_path)


def test_a_damaged_model_is_never_loaded_with_other_values(tmp_path, make_model):
    path, model = tmp_path / "model.safetensors", make_model()
    model.save(path)
    data = path.read_bytes()
    for kind in ("cut", "flipped"):
        for place in np.linspace(0, len(data) - 1, 50).astype(int).tolist():
            path.write_bytes(damage(data, place, kind))
            try:
                loaded = skd.load_model(path)
            except ValueError:
                continue
            for name, view in model.state_dict().items():  # the name of the seal was hit
                np.testing.assert_array_equal(loaded.state_dict()[name], view, name)


def test_without_a_whole_checkpoint_nothing_begins_anew_in_silence(tmp_path):
    one_epoch(tmp_path)
    for name in names(tmp_path):
        (tmp_path / name).write_bytes(b"damaged")
    with pytest.raises(skd.SKDError, match="No checkpoint of"):
        one_epoch(tmp_path)


@pytest.mark.parametrize("name", ["layer1.0.conv1.weight", "training.velocity.classifier.bias"])
def test_an_intact_checkpoint_that_is_not_finite_is_skipped(
    tmp_path, finished, one_epoch_digest, name
):
    for file in names(finished):
        (tmp_path / file).write_bytes((finished / file).read_bytes())
    newest = tmp_path / step_name(STEPS)
    internals.change_checkpoint(
        newest, lambda state: {**state, name: np.full_like(state[name], -np.inf)}
    )
    with pytest.warns(UserWarning, match=f"not finite .{name} .*resumes from 'step-0*4"):
        assert one_epoch(tmp_path) == one_epoch_digest
    assert newest.name + ".not-finite" in names(tmp_path)


def test_a_run_whose_checkpoints_are_all_infinite_does_not_begin_anew(tmp_path):
    one_epoch(tmp_path)
    for path in tmp_path.iterdir():
        internals.change_checkpoint(
            path, lambda state: {name: value * np.nan for name, value in state.items()}
        )
    with pytest.raises(skd.SKDError, match=r"No checkpoint of .* is whole and finite"):
        one_epoch(tmp_path)


@pytest.mark.parametrize("number", [np.float32, np.float16, np.float64, np.array])
def test_options_given_as_numbers_of_numpy_are_kept_as_those_of_python(tmp_path, number):
    sgd = skd.SGD(lr=number(0.5), momentum=number(0.25), weight_decay=number(0.0))
    assert [type(value) for value in (sgd.lr, sgd.momentum, sgd.weight_decay)] == [float] * 3
    trainer = skd.Gen0(run_fit.make_trainer().model, alpha=number(1), optimizer=sgd)
    trainer.fit(
        run_fit.make_split(4, 10, seed=3),
        epochs=np.int64(1),
        batch_size=np.uint8(8),
        decay_epochs=np.array([1]),
        decay_factor=number(0.5),
        seed=np.int32(3),
        flip=np.bool_(False),
        progress=np.bool_(False),
        checkpoint_dir=tmp_path,
    )
    assert step_name(STEPS) in names(tmp_path)


# --- disks


def fail_with_full_disk(*arguments):
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.mark.parametrize("function", ["fsync", "replace"])
def test_a_full_disk_is_reported_and_the_checkpoints_before_are_intact(
    tmp_path, monkeypatch, one_epoch_digest, function
):
    real, calls = getattr(os, function), []

    def fail_later(*arguments):
        calls.append(arguments)
        return (real if len(calls) < 2 else fail_with_full_disk)(*arguments)

    monkeypatch.setattr(os, function, fail_later)
    with pytest.raises(OSError, match=r"No space left.*step-") as caught:
        one_epoch(tmp_path)
    assert caught.value.errno == errno.ENOSPC
    assert not [name for name in names(tmp_path) if name.endswith(".part")]
    monkeypatch.undo()
    assert one_epoch(tmp_path) == one_epoch_digest


def test_a_file_that_may_not_grow_is_reported_and_removed(tmp_path, one_epoch_digest):
    with file_size_limit(20_000), pytest.raises(OSError, match=r"step-0*2\.safetensors"):
        one_epoch(tmp_path)
    assert names(tmp_path) == []
    assert one_epoch(tmp_path) == one_epoch_digest


def test_what_a_killed_process_left_half_written_is_removed(tmp_path):
    left = tmp_path / ".skd-0123456789abcdef.part"
    left.write_bytes(b"half")
    (tmp_path / "notes.txt").write_text("mine")
    one_epoch(tmp_path)
    assert not left.exists()
    assert (tmp_path / "notes.txt").exists()


def test_a_diverging_fit_names_the_last_checkpoint(tmp_path):
    trainer = run_fit.make_trainer()
    diverging = skd.Gen0(trainer.model, optimizer=skd.SGD(lr=1e30))
    with pytest.raises(skd.NonFiniteLossError) as caught:
        run_fit.fit(diverging, tmp_path, save_every_steps=1, val=None)
    error = caught.value
    assert error.step == diverging.steps_taken + 1
    expected = tmp_path / step_name(error.step - 1) if error.step > 1 else None
    assert error.checkpoint == expected
