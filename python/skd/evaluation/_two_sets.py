"""Episodes whose support images and queries come from two sets of features."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from skd import _validation as check
from skd._files.hashes import arrays_sha256
from skd.evaluation._drawn import DrawnEpisodes
from skd.evaluation._episode_files import EpisodeSet
from skd.evaluation._episodes import EpisodeSampler
from skd.evaluation._feature_meta import differences
from skd.evaluation.feature_sets import FeatureSet
from skd.evaluation.protocol import EpisodeProtocol

Positions = NDArray[np.int64]


class TwoSets(NamedTuple):
    """Two sets one after the other, and episodes of positions in both."""

    features: NDArray[np.float32]
    episodes: EpisodeSet


def require_same_model(support: FeatureSet, query: FeatureSet, owner: str) -> None:
    """Refuse queries that cannot be compared with a support set."""
    if support.meta is not None and query.meta is not None:
        found = differences(support.meta, query.meta)
        if found:
            legal = "features of the network that 'features' came from"
            check.refuse("query", owner, legal, f"others: {'; '.join(found)}")
    widths = support.features.shape[1], query.features.shape[1]
    if widths[0] != widths[1]:
        check.refuse("query", owner, f"of {widths[0]} dimensions, as 'features'", widths[1])


def drawn_from_both(
    support: FeatureSet, query: FeatureSet, protocol: EpisodeProtocol, owner: str
) -> TwoSets:
    """Draw episodes of the classes that both sets have.

    Classes are matched by their names, or by their labels if a set has no names. Sets of the same
    images, that is, of equal labels, never have an image as support and as query.
    """
    options = protocol.options
    _require_simple(protocol, owner)
    n_way, n_shot = options.ways[0], options.shots[0]
    by_name = support.class_names is not None and query.class_names is not None
    own, others = (each._class_keys(by_name=by_name) for each in (support, query))
    shared = [key for key in own if key in others]
    if len(shared) < n_way:
        legal = f"at most the number of classes in both sets, {len(shared)}"
        check.refuse("n_way", owner, legal, n_way)
    one = _renamed(support.labels, [own[key] for key in shared])
    two = _renamed(query.labels, [others[key] for key in shared])
    if np.array_equal(support.labels, query.labels):
        count = n_shot + options.n_query
        classes, images = _drawn(one, count, protocol, owner, "n_query")
        chosen, asked = np.ascontiguousarray(images[:, :, :n_shot]), images[:, :, n_shot:]
    else:
        classes, chosen = _drawn(one, n_shot, protocol, owner, "n_shot")
        _, asked = _drawn(two, options.n_query, protocol, owner, "n_query")
    labels = np.array([own[key] for key in shared], dtype=np.int64)[classes]
    episodes = DrawnEpisodes.balanced(labels, chosen, asked + len(support))
    both = arrays_sha256(support.labels, query.labels)
    features = np.concatenate([support.features, query.features])
    return TwoSets(features, EpisodeSet(episodes, options.described(), options.seed, False, both))


def _require_simple(protocol: EpisodeProtocol, owner: str) -> None:
    """Refuse options that need all images in one set."""
    options = protocol.options
    wrong = {
        "legacy_episodes": options.legacy,
        "episodes_file": protocol.episodes_file is not None,
        "query_distribution": options.is_dirichlet,
        "open_set": options.unknown > 0,
        "n_way": options.ways[0] < options.ways[1],
        "n_shot": options.shots[0] < options.shots[1],
    }
    for name, is_wrong in wrong.items():
        if is_wrong:
            legal = "a single number" if name in ("n_way", "n_shot") else "left out"
            got = options.described().get(name, "another value")
            check.refuse(name, owner, f"{legal} where 'query' is given", check.shown(got))


def _renamed(labels: Positions, order: list[int]) -> dict[int, Positions]:
    """Return the images of each class, by its place in an order."""
    return {place: np.flatnonzero(labels == label) for place, label in enumerate(order)}


def _drawn(
    images: dict[int, Positions], count: int, protocol: EpisodeProtocol, owner: str, name: str
) -> tuple[Positions, Positions]:
    """Draw `count` images of each class of an episode; equal seeds draw the same classes."""
    fewest = min(len(found) for found in images.values())
    if fewest < count:
        which = "features" if name == "n_shot" else "query"
        legal = f"such that every class of '{which}' has {count} images"
        number = protocol.options.n_query if name == "n_query" else protocol.options.shots[0]
        got = f"{number}, and a class has {fewest}"
        check.refuse(name, owner, legal, got)
    order = np.concatenate(list(images.values()))
    labels = np.repeat(np.arange(len(images)), [len(found) for found in images.values()])
    repeats = 2 if count == 1 else 1  # the sampler draws at least two images
    sampler = EpisodeSampler(
        np.repeat(labels, repeats),
        n_way=protocol.options.ways[0],
        n_shot=1,
        n_query=max(count - 1, 1),
        seed=protocol.options.seed,
    )
    classes, first, rest = sampler.sample(0, protocol.n_episodes)
    drawn = first if count == 1 else np.concatenate([first, rest], axis=2)
    return classes, np.ascontiguousarray(order[drawn // repeats])
