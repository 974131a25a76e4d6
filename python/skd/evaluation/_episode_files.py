"""Episodes of an evaluation, which are drawn or replayed from a file.

The file is a safetensors file, which cannot hold code and does not expand when it is read. Its
arrays are the fields of `Episodes`, int64. The entry ``skd_episodes`` of its header is a JSON
object with the version of the format, the seed, whether the episodes are those of the published
code, and the SHA-256 of the labels.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from skd import _validation as check
from skd._files import bounded_json
from skd._files.atomic import write_atomically
from skd._files.hashes import arrays_sha256
from skd._files.kinds import SAFETENSORS, kind_of_file
from skd._files.safetensors_files import SafetensorsError, opened
from skd.evaluation._episodes import Episodes, EpisodeSampler

if TYPE_CHECKING:
    from skd.evaluation.protocol import EpisodeProtocol

METADATA_KEY = "skd_episodes"
VERSION = 1
DIMENSIONS = {"classes": 2, "support": 3, "query": 3}


@dataclass(frozen=True)
class EpisodeSet:
    """All episodes of an evaluation, and their origin.

    `file` is the name of their file without its folder; None if there is no file.
    """

    episodes: Episodes
    seed: int
    legacy: bool
    labels_sha256: str
    file: str | None = None

    def __len__(self) -> int:
        """Return the number of episodes."""
        return len(self.episodes.classes)

    @property
    def extent(self) -> dict[str, int]:
        """Classes of an episode, and support and query images of each."""
        _, n_way, n_shot = self.episodes.support.shape
        return {"n_way": n_way, "n_shot": n_shot, "n_query": self.episodes.query.shape[2]}

    def first(self, count: int) -> EpisodeSet:
        """Return the first `count` episodes."""
        return replace(self, episodes=Episodes(*(array[:count] for array in self.episodes)))

    def provenance(self) -> dict[str, Any]:
        """Return the provenance of the episodes for a report."""
        return {
            "file": self.file,
            "seed": self.seed,
            "legacy": self.legacy,
            "labels_sha256": self.labels_sha256,
            "sha256": arrays_sha256(*self.episodes),
        }


def find_episodes(
    labels: NDArray[np.int64],
    protocol: EpisodeProtocol,
    owner: str,
    class_names: Sequence[str] | None = None,
) -> EpisodeSet:
    """Return the episodes of a file, or draw them and write the file.

    Raises
    ------
    ValueError
        If there are too few classes or images, or the file is damaged, or has other labels,
        another extent or too few episodes.
    """
    protocol.require_enough(labels, owner, class_names)
    sampler = EpisodeSampler(labels, **protocol.extent, seed=protocol.seed, legacy=protocol.legacy)
    count, path = protocol.n_episodes, protocol.episodes_file
    labels_sha256 = arrays_sha256(labels)
    if path is not None and path.exists():
        found = read_episodes(path, owner)
        _require_fitting(found, sampler, count, labels_sha256, owner)
        _require_sound(found, labels, owner)
        return found.first(count)
    drawn = EpisodeSet(sampler.sample(0, count), sampler.seed, sampler.legacy, labels_sha256)
    if path is None:
        return drawn
    write_episodes(path, drawn)
    return replace(drawn, file=path.name)


def write_episodes(path: Path, drawn: EpisodeSet) -> None:
    """Write a file of episodes atomically."""
    from safetensors.numpy import save

    description = {
        "version": VERSION,
        "seed": drawn.seed,
        "legacy": drawn.legacy,
        "labels_sha256": drawn.labels_sha256,
    }
    metadata = {METADATA_KEY: json.dumps(description)}
    write_atomically(path, save(drawn.episodes._asdict(), metadata=metadata))


def read_episodes(path: Path, owner: str) -> EpisodeSet:
    """Read a file of episodes, without comparing its positions with labels."""
    if not path.is_file():
        _refuse_file(path, "it is not a file", owner)
    kind = kind_of_file(path)
    if kind is not None and kind != SAFETENSORS:
        _refuse_file(path, f"it is {kind}", owner)
    try:
        with opened(path) as file:
            if set(file.entries) != set(DIMENSIONS):
                _refuse_file(path, f"it holds {sorted(file.entries)!r:.200}", owner)
            header, arrays = file.metadata, file.arrays()
    except SafetensorsError as error:
        _refuse_file(path, str(error), owner)
    for name, dimensions in DIMENSIONS.items():
        array = arrays[name]
        if array.dtype != np.int64 or array.ndim != dimensions or not array.size:
            _refuse_file(path, f"{name} are {array.dtype} of shape {array.shape}", owner)
    episodes = Episodes(**arrays)
    if len({array.shape[:2] for array in episodes}) > 1:
        shapes = ", ".join(str(array.shape) for array in episodes)
        _refuse_file(path, f"the shapes {shapes} do not fit", owner)
    return EpisodeSet(episodes, *_parse(header, path, owner), file=path.name)


def _parse(header: Mapping[str, str], path: Path, owner: str) -> tuple[int, bool, str]:
    """Return seed, legacy and the SHA-256 of the labels from the header of a file."""
    try:
        description = bounded_json.parse(header[METADATA_KEY])
        version, seed = description["version"], description["seed"]
        legacy, labels_sha256 = description["legacy"], description["labels_sha256"]
    except (KeyError, TypeError, ValueError) as error:
        _refuse_file(path, f"it has no description ({type(error).__name__})", owner)
    if version != VERSION:
        _refuse_file(path, f"its version is {version!r}, not {VERSION}", owner)
    is_seed = type(seed) is int and 0 <= seed <= check.MAX_SEED
    if not is_seed or type(legacy) is not bool or not isinstance(labels_sha256, str):
        _refuse_file(path, "its description has wrong types", owner)
    return seed, legacy, labels_sha256


def _refuse_file(path: Path, reason: str, owner: str) -> NoReturn:
    legal = "a file of episodes that an evaluation wrote, or the name of a new one"
    check.refuse("episodes_file", owner, legal, f"{str(path)!r} ({reason})")


def _require_fitting(
    found: EpisodeSet, sampler: EpisodeSampler, n_episodes: int, labels_sha256: str, owner: str
) -> None:
    """Refuse episodes of other labels or options than requested."""
    differences = [
        f"{name} is {value}, not {getattr(sampler, name)}"
        for name, value in found.extent.items()
        if value != getattr(sampler, name)
    ]
    if len(found) < n_episodes:
        differences.append(f"it holds {len(found)} episodes, fewer than {n_episodes}")
    if sampler.legacy and not found.legacy:
        differences.append("its episodes are not those of the published code")
    if found.labels_sha256 != labels_sha256:
        differences.append(
            f"it was drawn on labels of SHA-256 {found.labels_sha256[:12]}, "
            f"these have {labels_sha256[:12]}"
        )
    if differences:
        legal = "a file of episodes of these labels and options"
        got = f"{found.file!r}: {'; '.join(differences)}"
        check.refuse("episodes_file", owner, legal, got)


def _require_sound(found: EpisodeSet, labels: NDArray[np.int64], owner: str) -> None:
    """Refuse positions that are impossible for these labels."""
    classes, support, query = found.episodes
    images = np.concatenate([support, query], axis=2)
    if images.min() < 0 or images.max() >= len(labels):
        reason = f"positions are in {images.min()}..{images.max()}"
    elif (labels[images] != classes[:, :, None]).any():
        reason = "an image has another class than stated"
    elif _repeats(classes):
        reason = "an episode has a class twice"
    elif _repeats(images):
        reason = "an episode has an image twice"
    else:
        return
    legal = f"a file of positions of {len(labels)} images, as they were drawn"
    check.refuse("episodes_file", owner, legal, f"{found.file!r}: {reason}")


def _repeats(values: NDArray[np.int64]) -> bool:
    """Whether a row along the last axis holds a value twice."""
    ordered = np.sort(values, axis=-1)
    return bool((ordered[..., 1:] == ordered[..., :-1]).any())
