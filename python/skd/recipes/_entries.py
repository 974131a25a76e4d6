"""Translation of refused arguments into the entries of a recipe."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from skd._refusals import Refusal, reworded
from skd.recipes._schema import Recipe

#: Table of the entries that a function takes as arguments, by the end of its name.
TABLES = {"evaluate": "evaluation", "SGD": "optimizer", "create_model": "model"}
OBJECTIVES = ("Supervised", "Distilled", "Gen0", "Gen1")
#: Entries that are not in the table of their function, or have another name there.
ENTRIES = {
    "evaluate": {"n_shot": "evaluation.n_shots", "split": "data"},
    "create_model": {"image_size": "data.image_size", "num_classes": "data.num_classes"},
    "fit": {
        "schedule": "schedule.kind",
        "augmentation": "data.augmentation",
        "flip": "data.flip",
        "padding": "data.padding",
        "seed": "seed",
        "split": "data",
        "val": "data",
        "checkpoint_dir": "checkpoint_dir",
    },
}


@contextmanager
def naming_entries(recipe: Recipe) -> Iterator[None]:
    """Name the entry of the recipe in errors about the argument that it is passed as."""

    def by(refusal: Refusal) -> Refusal:
        function = refusal.owner.rpartition(".")[2]
        if refusal.owner in OBJECTIVES:
            entry = f"loss.{refusal.name}"
        elif function in TABLES or function == "fit":
            table = TABLES.get(function, "schedule")
            entry = ENTRIES.get(function, {}).get(refusal.name, f"{table}.{refusal.name}")
        else:
            return refusal
        return refusal._replace(name=entry, owner=f"recipe {recipe.name!r}")

    with reworded(by):
        yield
