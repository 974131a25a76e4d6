"""Every option that decides the bits of a run is compared when it is resumed."""

import dataclasses
import inspect
import re

import pytest
import run_fit

import skd

MODEL = {"num_classes": 4, "image_size": 16, "widths": (4, 4, 8, 8)}
FIT = {"epochs": 1, "batch_size": 20, "padding": 2, "progress": False}


def zero(rows, labels, views):
    return 0.0, 0 * rows


def term(name="t", **options):
    return skd.Term(name, zero, **options)


#: Another value than the default of each option of a trainer, and how the recipe names it.
TRAINER_CHANGES = {
    "sync_batch_norm": [(False, "sync_batch_norm")],
    "seed": [(1, "trainer seed")],
    "optimizer": [
        (skd.SGD(lr=0.04), "lr"),
        (skd.SGD(momentum=0.8), "momentum"),
        (skd.SGD(weight_decay=0.0), "weight_decay"),
    ],
    "terms": [
        ([term("other")], "term other"),
        ([term(weight=2)], "term t"),
        ([term(on="embedding")], "term t"),
        ([], "term t"),
        ([term("first"), term()], "term t"),
    ],
    "alpha": [(1.5, "alpha")],
    "rotations_per_image": [],  # fewer are for a trainer without terms: see test_checkpointing
    "beta": [(0.3, "beta")],
    "temperature": [(2.0, "temperature")],
    "twin_rotations": [((90,), "twin_rotations"), ((180, 90), "twin_rotations")],
    "bn_views": [("all", "bn_views")],
}
FIT_CHANGES = {
    "split": [(run_fit.make_split(4, 10, seed=9), "data")],
    "decay_epochs": [([1], "decay_epochs")],
    "decay_factor": [(0.2, "decay_factor")],
    "schedule": [("cosine", "schedule"), ("one_cycle", "schedule")],
    "warmup_epochs": [(0.5, "warmup_epochs")],
    "image_sizes": [([20], "image_sizes")],
    "resize_epochs": [],  # with other image_sizes alone
    "batch_size": [(10, "batch_size")],
    "augmentation": [("crop_flip", "augmentation"), ("none", "augmentation")],
    "flip": [(False, "flip")],
    "padding": [(3, "padding")],
    "seed": [(1, "seed")],
    "val": [(run_fit.make_split(2, 3, seed=4), "val")],
    "val_every": [(2, "val_every")],
}
#: What changes no bit; `epochs` makes a run longer.
FIT_FREE = {
    "epochs", "progress", "callbacks", "checkpoint_dir", "save_every_steps", "resume",
    "prefetch",
}  # fmt: skip
MODEL_CHANGES = {
    "architecture": [("resnet18", "model architecture")],
    "num_classes": [(5, "model num_classes")],
    "image_size": [(None, "model image_size")],  # other images too: see below
    "input_channels": [(None, "model input_channels")],
    "widths": [((4, 4, 8, 12), "model widths")],
    "use_se": [(True, "model use_se")],
    "drop_rate": [(0.2, "model drop_rate")],
    "dropblock_size": [(1, "model dropblock_size")],
    "rotation_head": [(None, "model rotation_head")],  # without one there is no Gen0
    "precision": [("bfloat16", "model precision")],
}
OBJECTIVES = (skd.Supervised, skd.Gen0, skd.Gen1, skd.Distilled)


def make_trainer(objective, model=None, **options):
    student = skd.create_model(**{"architecture": "resnet12", "seed": 1, **MODEL, **(model or {})})
    options = {"terms": [term()], **options}
    if objective in (skd.Gen1, skd.Distilled):
        return objective(student, skd.create_model("resnet12", seed=2, **MODEL), **options)
    return objective(student, **options)


def fit(trainer, folder, **options):
    options = {"split": run_fit.make_split(4, 10, seed=3), **FIT, **options}
    return trainer.fit(options.pop("split"), checkpoint_dir=folder, resume=True, **options)


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """Return a function that returns the folder of a run of one epoch of an objective."""
    folders = {}

    def folder(objective):
        if objective not in folders:
            folders[objective] = tmp_path_factory.mktemp(objective.__name__)
            fit(make_trainer(objective), folders[objective])
        return folders[objective]

    return folder


def assert_refused(finished, objective, trainer, name, **options):
    before = run_fit.digest(trainer, [])
    with pytest.raises(ValueError, match=f"{re.escape(name)} .* instead of"):
        fit(trainer, finished(objective), **options)
    assert run_fit.digest(trainer, []) == before


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_the_same_run_is_resumed(finished, objective):
    assert len(fit(make_trainer(objective), finished(objective))) == 1


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_every_option_of_a_trainer_is_compared(finished, objective):
    for option in inspect.signature(objective).parameters:
        if option in ("model", "student", "teacher", "communicator"):
            continue  # any number of ranks may go on
        for value, name in TRAINER_CHANGES[option]:
            assert_refused(finished, objective, make_trainer(objective, **{option: value}), name)


@pytest.mark.parametrize("objective", [skd.Gen1, skd.Distilled])
def test_the_teacher_is_compared(finished, objective):
    other = skd.create_model("resnet12", seed=3, **MODEL)
    student = skd.create_model("resnet12", seed=1, **MODEL)
    trainer = objective(student, other, terms=[term()])
    assert_refused(finished, objective, trainer, "teacher")


def test_every_option_of_fit_is_compared_or_free(finished):
    options = set(inspect.signature(skd.Gen0.fit).parameters) - {"self"}
    assert options == FIT_CHANGES.keys() | FIT_FREE
    for option, changes in FIT_CHANGES.items():
        for value, name in changes:
            trainer = make_trainer(skd.Gen0)
            assert_refused(finished, skd.Gen0, trainer, name, **{option: value})


def test_the_normalisation_of_the_data_is_compared(finished):
    split = run_fit.make_split(4, 10, seed=3)
    for name, values in (("mean", {"mean": 0.25}), ("std", {"std": 0.5})):
        own = {"mean": split.mean, "std": split.std, **values}
        other = skd.datasets.from_arrays(split.images, split.labels, **own)
        assert_refused(finished, skd.Gen0, make_trainer(skd.Gen0), name, split=other)


def test_every_option_of_a_model_but_its_first_weights_is_compared(finished):
    options = set(inspect.signature(skd.create_model).parameters) - {"seed"}
    assert options == MODEL_CHANGES.keys()
    assert options == make_trainer(skd.Gen0).model.config.keys()
    for option, changes in MODEL_CHANGES.items():
        for value, name in changes:
            if value is not None:
                trainer = make_trainer(skd.Gen0, model={option: value})
                assert_refused(finished, skd.Gen0, trainer, name)
    recipe_names = {field.name for field in dataclasses.fields(skd.SGD)}
    assert recipe_names <= make_trainer(skd.Gen0).recipe().keys()
