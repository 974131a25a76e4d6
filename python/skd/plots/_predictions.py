"""What `skd.evaluate` predicts in its episodes, query by query."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from skd import _native
from skd import _validation as check
from skd.augmentation import default_padding, mode_of
from skd.datasets import Split
from skd.evaluation import Episodes, FeatureExtractor, SupportAugmentation, find_episodes
from skd.evaluation.protocol import MOST_COPIES, EpisodeProtocol
from skd.few_shot.heads import HEADS
from skd.models import Model, Normalization
from skd.plots._arguments import check_fitting

BLOCK = 64  # episodes whose support features are in memory at once


class Predicted(NamedTuple):
    """Some episodes, and what was predicted in them.

    `classes` holds the predicted label of each query: shape (n_episodes, n_way, n_query).
    """

    episodes: Episodes
    classes: NDArray[np.int64]


@dataclass(frozen=True)
class EpisodeOptions:
    """The checked options of `skd.evaluate` that decide what is predicted."""

    model: Model
    split: Split
    extent: dict[str, int]
    classifier: str
    augmentation: SupportAugmentation
    seed: int

    @classmethod
    def checked(
        cls,
        model: Any,
        split: Any,
        owner: str,
        *,
        n_way: Any,
        n_shot: Any,
        n_query: Any,
        classifier: Any,
        n_support_copies: Any,
        support_augmentation: Any,
        flip: Any,
        seed: Any,
    ) -> EpisodeOptions:
        """Check the options before anything is computed."""
        check.instance(model, "model", owner, Model)
        check.instance(split, "split", owner, Split)
        check_fitting(model, split, owner)
        _, side, _, channels = split.images.shape
        mode = mode_of(support_augmentation, "support_augmentation", owner, channels)
        copies = check.integer(
            n_support_copies, "n_support_copies", owner, minimum=1, maximum=MOST_COPIES
        )
        if mode == _native.AUGMENT_NONE:
            copies = 1
        mirrors = check.boolean(flip, "flip", owner)
        key = check.seed(seed, owner)
        return cls(
            model,
            split,
            {
                "n_way": check.integer(n_way, "n_way", owner, minimum=2),
                "n_shot": check.integer(n_shot, "n_shot", owner, minimum=1),
                "n_query": check.integer(n_query, "n_query", owner, minimum=1),
            },
            check.choice(classifier, "classifier", owner, HEADS),
            SupportAugmentation(mode, default_padding(side), mirrors, copies, key),
            key,
        )

    def episodes(self, first: int, count: int, owner: str) -> Episodes:
        """Draw the episodes that `skd.evaluate` draws with these options."""
        protocol = EpisodeProtocol(
            n_way=self.extent["n_way"],
            n_shot=self.extent["n_shot"],
            n_query=self.extent["n_query"],
            n_episodes=first + count,
            classifier=self.classifier,
            seed=self.seed,
        )
        drawn = find_episodes(self.split.labels, protocol, owner, self.split.class_names)
        return Episodes(*(array[first:] for array in drawn.episodes))

    def predict(self, first: int, episodes: Episodes) -> Predicted:
        """Fit a classifier in each episode, the first of which has a number, and classify."""
        split, how = self.split, self.augmentation
        normalization = self.model.normalization or Normalization(split.mean, split.std)
        extract = FeatureExtractor(
            self.model, "embedding", split.images, normalization, lambda count: None
        )
        classes, support, query = episodes
        n_episodes, n_way, n_shot = support.shape
        positions, rows = np.unique(query, return_inverse=True)
        features = extract.plain(positions)
        rows = rows.reshape(n_episodes, -1)
        labels = np.tile(np.repeat(np.arange(n_way), n_shot), how.copies)
        predicted = np.empty(query.shape, dtype=np.int64)
        for start in range(0, n_episodes, BLOCK):
            block = range(start, min(start + BLOCK, n_episodes))
            examples = extract.augmented(first + start, support[block.start : block.stop], how)
            for episode, own in zip(block, examples, strict=True):
                head: Any = HEADS[self.classifier]().fit(own, labels)
                ways = head.predict(features[rows[episode]])
                predicted[episode] = classes[episode][ways].reshape(query.shape[1:])
        return Predicted(episodes, predicted)
