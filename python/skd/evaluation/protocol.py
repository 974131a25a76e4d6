"""Protocol of an evaluation, checked before anything is computed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from skd import _native
from skd import _validation as check
from skd._refusals.native import refused_as
from skd.augmentation import MODES, default_padding, mode_of
from skd.choices import Augmentation, ClassifierName, Features
from skd.classifiers.kinds import KINDS
from skd.datasets import Split
from skd.evaluation._features import SupportAugmentation
from skd.evaluation.episode_options import EpisodeOptions
from skd.models import EVALUATION_BATCH, FEATURES, Model

MOST_EPISODES = 1_000_000  # all episodes of an evaluation are in memory
MOST_COPIES = 1000


@dataclass(frozen=True)
class EpisodeProtocol:
    """Episodes of an evaluation, their file, and the names in its report."""

    options: EpisodeOptions
    n_episodes: int
    episodes_file: Path | None = None
    data_name: str | None = None
    split_name: str | None = None

    @classmethod
    def checked(
        cls,
        owner: str,
        *,
        n_episodes: Any,
        legacy_episodes: Any = False,
        episodes_file: Any = None,
        data_name: Any = None,
        split_name: Any = None,
        query_distribution: Any = "uniform",
        query_concentration: Any = 2.0,
        open_set: Any = None,
        **extent: Any,
    ) -> EpisodeProtocol:
        """Check each option by itself; `EpisodeOptions.require_enough` checks the labels."""
        options = EpisodeOptions.checked(
            owner,
            **extent,
            query_distribution=query_distribution,
            query_concentration=query_concentration,
            open_set=open_set,
            legacy=legacy_episodes,
            minimum_way=2,  # with one class, every prediction would be right
            legacy_name="legacy_episodes",
        )
        return cls(
            options,
            n_episodes=check.integer(
                n_episodes, "n_episodes", owner, minimum=1, maximum=MOST_EPISODES
            ),
            episodes_file=(
                None
                if episodes_file is None
                else check.output_file(episodes_file, "episodes_file", owner)
            ),
            data_name=_name(data_name, "data_name", owner),
            split_name=_name(split_name, "split_name", owner),
        )

    @property
    def names(self) -> dict[str, str | None]:
        """Names of the data and the split in a report."""
        return {"name": self.data_name, "split": self.split_name}


@dataclass(frozen=True)
class FeatureProtocol:
    """Options of the features and of the support augmentation."""

    features: Features
    n_support_copies: int
    support_augmentation: Augmentation
    flip: bool

    @classmethod
    def checked(
        cls,
        owner: str,
        *,
        features: Any,
        n_support_copies: Any,
        support_augmentation: Any,
        flip: Any,
    ) -> FeatureProtocol:
        """Check each option by itself; `augmentation` checks the images."""
        return cls(
            features=check.choice(features, "features", owner, FEATURES),
            n_support_copies=check.integer(
                n_support_copies, "n_support_copies", owner, minimum=1, maximum=MOST_COPIES
            ),
            support_augmentation=check.choice(
                support_augmentation, "support_augmentation", owner, MODES
            ),
            flip=check.boolean(flip, "flip", owner),
        )

    def augmentation(self, split: Split, seed: int, owner: str) -> SupportAugmentation:
        """Return the augmentation of support images, which the split must allow."""
        _, side, _, channels = split.images.shape
        mode = mode_of(self.support_augmentation, "support_augmentation", owner, channels)
        copies = 1 if mode == _native.AUGMENT_NONE else self.n_support_copies
        return SupportAugmentation(mode, default_padding(side), self.flip, copies, seed)


def require_fitting(model: Model, split: Split, owner: str) -> None:
    """Refuse images that do not fit the model, and a model that does not fit into memory."""
    check.instance(model, "model", owner, Model)
    check.instance(split, "split", owner, Split)
    check.model_images(
        split.images, "split", owner, side=model.image_size, channels=model.input_channels
    )
    with refused_as(owner):
        model._native.require_memory(EVALUATION_BATCH, 0)


def check_evaluation(
    model: Model,
    split: Split,
    owner: str,
    *,
    features: Any,
    n_support_copies: Any,
    support_augmentation: Any,
    flip: Any,
    **episodes: Any,
) -> tuple[EpisodeProtocol, FeatureProtocol, SupportAugmentation]:
    """Check all that an evaluation needs before anything is computed, and return its protocol."""
    protocol = EpisodeProtocol.checked(owner, **episodes)
    wanted = FeatureProtocol.checked(
        owner,
        features=features,
        n_support_copies=n_support_copies,
        support_augmentation=support_augmentation,
        flip=flip,
    )
    require_fitting(model, split, owner)
    how = wanted.augmentation(split, protocol.options.seed, owner)
    protocol.options.require_enough(split.labels, owner, split.class_names)
    return protocol, wanted, how


def check_classifier(classifier: Any, owner: str) -> ClassifierName:
    """Check the name of a classifier of the table."""
    return check.choice(classifier, "classifier", owner, KINDS)


def _name(value: Any, name: str, owner: str) -> str | None:
    """Check a name of the data or the split in a report."""
    if value is not None and not isinstance(value, str):
        check.refuse(name, owner, "a str or None", repr(value), TypeError)
    return value
