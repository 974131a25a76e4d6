"""The recipe of a student's teacher."""

from __future__ import annotations

import dataclasses
from typing import Any

from skd.recipes._reading import from_table, load, merge
from skd.recipes._schema import Recipe


def teacher_recipe(recipe: Recipe) -> Recipe:
    """Return the recipe of the teacher of a recipe that names one.

    With several generations, the last but one teaches the last. The first one's teacher is trained
    by the recipe that the student names, with the student's data, network and seed.
    """
    teacher = recipe.teacher
    assert teacher is not None
    if teacher.generations > 1:
        before = teacher.generations - 1
        return dataclasses.replace(
            recipe,
            name=f"{recipe.name}-generation-{before}",
            title=f"{recipe.title}, generation {before}",
            teacher=dataclasses.replace(teacher, generations=before),
            expected=None,
            measured=None,
        )
    assert teacher.recipe is not None
    table = load(teacher.recipe).to_table()
    own: dict[str, Any] = recipe.to_table()
    merge(table, teacher.changes)
    shared: dict[str, Any] = {key: own[key] for key in ("data", "model", "seed") if key in own}
    return from_table({**table, **shared}, name=table["name"])
