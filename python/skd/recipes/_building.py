"""Data, models and trainers as a recipe describes them."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from skd import _validation as check
from skd.datasets import FewShotData, Split, from_folder, load
from skd.datasets.catalogue import OWN_PICTURES
from skd.models import Model, create_model
from skd.recipes._schema import Data, Recipe
from skd.training import SGD, Distilled, Gen0, Gen1, Supervised

if TYPE_CHECKING:
    from mpi4py.MPI import Intracomm

Trainer = Supervised | Distilled | Gen0 | Gen1
OpenData = Callable[[Data], FewShotData]


def open_data(data: Data) -> FewShotData:
    """Load the data set that a recipe names."""
    if data.name == OWN_PICTURES:
        assert data.root is not None
        assert data.image_size is not None
        return from_folder(data.root, image_size=data.image_size)
    return load(data.name, data.root)


def training_split(data: FewShotData, options: Data) -> Split:
    """Return the images that are trained on: of some classes, or all."""
    split = data.trainval if options.split == "trainval" else data.train
    owner = "the recipe"
    num_classes = options.num_classes or split.num_classes
    if num_classes > split.num_classes:
        legal = f"at most the number of classes, {split.num_classes}"
        check.refuse("data.num_classes", owner, legal, num_classes)
    per_class = options.images_per_class or len(split)
    if num_classes == split.num_classes and per_class >= int(np.bincount(split.labels).max()):
        return split
    of_classes = (np.flatnonzero(split.labels == label)[:per_class] for label in range(num_classes))
    rows = np.sort(np.concatenate(list(of_classes)))  # in order, as a mapped file is read best
    return Split(
        images=split.images[rows],
        labels=split.labels[rows],
        original_labels=split.original_labels[:num_classes],
        class_names=split.class_names[:num_classes],
        mean=split.mean,
        std=split.std,
    )


def fresh_model(recipe: Recipe, split: Split) -> Model:
    """Create the model of a recipe; students of one row of generations begin differently."""
    generation = recipe.teacher.generations if recipe.teacher and recipe.stage != "gen1" else 0
    options: dict[str, Any] = dataclasses.asdict(recipe.model)
    return create_model(
        options.pop("architecture"),
        num_classes=split.num_classes,
        image_size=split.images.shape[1],
        input_channels=split.images.shape[3],
        rotation_head=True if recipe.stage == "gen0" else None,
        seed=recipe.seed + generation,
        **options,
    )


def build_trainer(
    recipe: Recipe,
    split: Split,
    teacher: Model | None,
    communicator: Intracomm | None = None,
) -> Trainer:
    """Create the trainer of a recipe, with a fresh model or a clone of its teacher."""
    common: dict[str, Any] = {
        "optimizer": SGD(**dataclasses.asdict(recipe.optimizer)),
        "seed": recipe.seed,
        "communicator": communicator,
        **dataclasses.asdict(recipe.loss),
    }
    if recipe.stage == "gen1":
        assert teacher is not None
        _require_same_network(recipe, fresh_model(recipe, split), teacher)
        return Gen1(teacher.clone(), teacher, **common)
    model = fresh_model(recipe, split)
    if recipe.stage == "distilled":
        assert teacher is not None
        return Distilled(model, teacher, **common)
    return Gen0(model, **common) if recipe.stage == "gen0" else Supervised(model, **common)


def _require_same_network(recipe: Recipe, described: Model, teacher: Model) -> None:
    """Refuse a teacher of which the student, its clone, would not be what the recipe says."""
    for name, wanted in described.config.items():
        # None asks for the default; Gen-1 does without the rotation head.
        if wanted is not None and teacher.config[name] != wanted:
            legal = f"one whose {name} is {wanted!r}, as the recipe says"
            check.refuse("teacher", f"recipe {recipe.name!r}", legal, repr(teacher.config[name]))


def fit_options(recipe: Recipe, data: FewShotData) -> dict[str, Any]:
    """Return the arguments of `fit` that the recipe decides, but the split."""
    schedule = dataclasses.asdict(recipe.schedule)
    return {
        "schedule": schedule.pop("kind"),
        **schedule,
        "augmentation": recipe.data.augmentation,
        "flip": recipe.data.flip,
        "padding": recipe.data.padding,
        "seed": recipe.seed,
        "val": None if recipe.data.split == "trainval" else data.val,
    }
