"""Checks of everything a run will need, before its first step."""

from __future__ import annotations

import dataclasses

from skd.datasets import FewShotData, Split
from skd.distributed.ranks import Ranks
from skd.evaluation.protocol import check_classifier, check_evaluation
from skd.models import Model
from skd.recipes._building import build_trainer, fit_options, fresh_model
from skd.recipes._schema import TAUGHT, Recipe
from skd.training import check_fit


def require_trainable(
    recipe: Recipe, data: FewShotData, split: Split, teacher: Model | None, ranks: Ranks
) -> None:
    """Refuse options that `fit` would refuse, with the ranks of the run.

    A fresh network takes the place of a teacher that is not trained yet.
    """
    if recipe.stage in TAUGHT and teacher is None:
        teacher = fresh_model(recipe, split)
    trainer = build_trainer(recipe, split, teacher)
    trainer.ranks = ranks
    check_fit(trainer, split, **fit_options(recipe, data))


def require_scorable(recipe: Recipe, data: FewShotData, split: Split) -> None:
    """Refuse options that `evaluate` would refuse, for every number of shots."""
    options = dataclasses.asdict(recipe.evaluation)
    del options["model"]
    scored, shots = getattr(data, options.pop("split")), options.pop("n_shots")
    check_classifier(options.pop("classifier"), "evaluate")
    model = fresh_model(recipe, split)
    for n_shot in shots:
        check_evaluation(model, scored, "evaluate", n_shot=n_shot, **options)
