"""Checks of the parameters of a few-shot classifier."""

from __future__ import annotations

from typing import Any

from skd import _validation as check
from skd.augmentation import mode_of
from skd.classifiers.kinds import head_name
from skd.evaluation.protocol import MOST_COPIES
from skd.few_shot._rejection import checked_answer
from skd.models import FEATURES, Model


def checked_parameters(classifier: Any, owner: str) -> dict[str, Any]:
    """Return the checked parameters, without the model."""
    model = check.instance(classifier.model, "model", owner, Model)
    mode_of(classifier.support_augmentation, "support_augmentation", owner, model.input_channels)
    return {
        "head": head_name(classifier.head, "head", owner),
        "features": check.choice(classifier.features, "features", owner, FEATURES),
        "n_support_copies": check.integer(
            classifier.n_support_copies, "n_support_copies", owner, minimum=1, maximum=MOST_COPIES
        ),
        "support_augmentation": classifier.support_augmentation,
        "flip": check.boolean(classifier.flip, "flip", owner),
        "resize": check.boolean(classifier.resize, "resize", owner),
        "calibrate": check.boolean(classifier.calibrate, "calibrate", owner),
        "reject": checked_answer(classifier.reject, None, owner),
        "known_rate": check.number(
            classifier.known_rate,
            "known_rate",
            owner,
            maximum=1,
            open_minimum=True,
            open_maximum=True,
        ),
        "seed": check.seed(classifier.seed, owner),
    }
