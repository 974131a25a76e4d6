"""Episodes of an evaluation, which are drawn or replayed from a file.

The file is a safetensors file, which cannot hold code and does not expand when it is read. Its
arrays are int64: those of `Episodes` for balanced episodes of one extent, and those of
`DrawnEpisodes` for others. The entry ``skd_episodes`` of its header is a JSON object with the
version of the format, the seed, whether the episodes are those of the published code, the SHA-256
of the labels, and for uneven episodes how they were drawn.
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
from skd.evaluation._drawn import DrawnEpisodes, draw_episodes
from skd.evaluation.episode_options import EpisodeOptions

if TYPE_CHECKING:
    from skd.evaluation.protocol import EpisodeProtocol

METADATA_KEY = "skd_episodes"
VERSION = 1
BALANCED = {"classes": 2, "support": 3, "query": 3}
UNEVEN = dict.fromkeys(("n_way", "n_shot", "classes", "support", "query", "query_counts"), 1)
MOST_VALUE = 2**40  # of a count in a file


@dataclass(frozen=True)
class EpisodeSet:
    """All episodes of an evaluation, and their origin.

    `described` says how the episodes were drawn; `file` is the name of their file without its
    folder, None if there is no file.
    """

    episodes: DrawnEpisodes
    described: Mapping[str, Any]
    seed: int
    legacy: bool
    labels_sha256: str
    file: str | None = None

    def __len__(self) -> int:
        """Return the number of episodes."""
        return len(self.episodes)

    def first(self, count: int) -> EpisodeSet:
        """Return the first `count` episodes."""
        return replace(self, episodes=self.episodes.first(count))

    def provenance(self) -> dict[str, Any]:
        """Return the provenance of the episodes for a report."""
        return {
            "file": self.file,
            "seed": self.seed,
            "legacy": self.legacy,
            "labels_sha256": self.labels_sha256,
            "sha256": arrays_sha256(*self.episodes.identity()),
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
    options = protocol.options
    options.require_enough(labels, owner, class_names)
    count, path = protocol.n_episodes, protocol.episodes_file
    labels_sha256 = arrays_sha256(labels)
    if path is not None and path.exists():
        found = read_episodes(path, owner)
        _require_fitting(found, options, count, labels_sha256, owner)
        _require_sound(found, labels, owner)
        return found.first(count)
    episodes = draw_episodes(labels, options, 0, count, owner)
    drawn = EpisodeSet(episodes, options.described(), options.seed, options.legacy, labels_sha256)
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
    if _is_balanced(drawn.described):
        arrays = dict(zip(BALANCED, drawn.episodes.shaped(), strict=True))
    else:
        arrays = drawn.episodes.flat
        description["drawn"] = dict(drawn.described)
    write_atomically(path, save(arrays, metadata={METADATA_KEY: json.dumps(description)}))


def read_episodes(path: Path, owner: str) -> EpisodeSet:
    """Read a file of episodes, without comparing its positions with labels."""
    if not path.is_file():
        _refuse_file(path, "it is not a file", owner)
    kind = kind_of_file(path)
    if kind is not None and kind != SAFETENSORS:
        _refuse_file(path, f"it is {kind}", owner)
    try:
        with opened(path) as file:
            if set(file.entries) not in (set(BALANCED), set(UNEVEN)):
                _refuse_file(path, f"it holds {sorted(file.entries)!r:.200}", owner)
            header, arrays = file.metadata, file.arrays()
    except SafetensorsError as error:
        _refuse_file(path, str(error), owner)
    is_balanced = set(arrays) == set(BALANCED)
    for name, dimensions in (BALANCED if is_balanced else UNEVEN).items():
        array = arrays[name]
        if array.dtype != np.int64 or array.ndim != dimensions or not array.size:
            _refuse_file(path, f"{name} are {array.dtype} of shape {array.shape}", owner)
    description = _parse(header, path, owner)
    if is_balanced:
        episodes, drawn = _balanced(arrays, path, owner)
    else:
        stated = description.get("drawn")
        if not isinstance(stated, dict) or "open_set" not in stated:
            _refuse_file(path, "its description does not say how it was drawn", owner)
        drawn, episodes = stated, _uneven(arrays, stated["open_set"], path, owner)
    seed, legacy, labels = (description[name] for name in ("seed", "legacy", "labels_sha256"))
    return EpisodeSet(episodes, drawn, seed, legacy, labels, file=path.name)


def _is_balanced(described: Mapping[str, Any]) -> bool:
    """Whether episodes that were drawn so are balanced ones of one extent."""
    has_one_extent = all(isinstance(described[name], int) for name in ("n_way", "n_shot"))
    is_uniform = described["query_distribution"] == "uniform"
    return has_one_extent and is_uniform and described["open_set"] is None


def _balanced(
    arrays: Mapping[str, NDArray[np.int64]], path: Path, owner: str
) -> tuple[DrawnEpisodes, dict[str, Any]]:
    """Return balanced episodes, and how they were drawn by the shapes of their arrays."""
    classes, support, query = (arrays[name] for name in BALANCED)
    if len({array.shape[:2] for array in (classes, support, query)}) > 1:
        shapes = ", ".join(str(array.shape) for array in (classes, support, query))
        _refuse_file(path, f"the shapes {shapes} do not fit", owner)
    drawn = {
        "n_way": support.shape[1],
        "n_shot": support.shape[2],
        "n_query": query.shape[2],
        "query_distribution": "uniform",
        "query_concentration": None,
        "open_set": None,
    }
    return DrawnEpisodes.balanced(classes, support, query), drawn


def _uneven(
    arrays: Mapping[str, NDArray[np.int64]], open_set: Any, path: Path, owner: str
) -> DrawnEpisodes:
    """Return episodes of flat arrays whose sizes fit each other."""
    if open_set is not None and (type(open_set) is not int or not 0 < open_set <= MOST_VALUE):
        _refuse_file(path, f"its open_set is {open_set!r:.100}", owner)
    unknown = open_set or 0
    episodes = DrawnEpisodes(**arrays, unknown=unknown)
    n_way, n_shot, counts = episodes.n_way, episodes.n_shot, episodes.query_counts
    numbers = np.concatenate([n_way, n_shot, counts])
    if n_way.min() < 1 or n_shot.min() < 1 or numbers.min() < 0 or numbers.max() > MOST_VALUE:
        _refuse_file(path, "its numbers of images are out of range", owner)
    if len(n_shot) != len(n_way):
        _refuse_file(path, f"it holds {len(n_shot)} n_shot, not {len(n_way)}", owner)
    # Sums of floats cannot overflow, and are exact for the sizes of arrays that are in memory.
    extents = n_way.astype(np.float64), n_shot.astype(np.float64), counts.astype(np.float64)
    needed = {
        "classes": (extents[0] + unknown).sum(),
        "query_counts": (extents[0] + unknown).sum(),
        "support": (extents[0] * extents[1]).sum(),
        "query": extents[2].sum(),
    }
    for name, size in needed.items():
        if arrays[name].size != size:
            _refuse_file(path, f"it holds {arrays[name].size} {name}, not {size:.0f}", owner)
    return episodes


def _parse(header: Mapping[str, str], path: Path, owner: str) -> dict[str, Any]:
    """Return the description of episodes from the header of a file."""
    try:
        description: dict[str, Any] = bounded_json.parse(header[METADATA_KEY])
        version, seed = description["version"], description["seed"]
        legacy, labels_sha256 = description["legacy"], description["labels_sha256"]
    except (KeyError, TypeError, ValueError) as error:
        _refuse_file(path, f"it has no description ({type(error).__name__})", owner)
    if version != VERSION:
        _refuse_file(path, f"its version is {version!r}, not {VERSION}", owner)
    is_seed = type(seed) is int and 0 <= seed <= check.MAX_SEED
    if not is_seed or type(legacy) is not bool or not isinstance(labels_sha256, str):
        _refuse_file(path, "its description has wrong types", owner)
    return description


def _refuse_file(path: Path, reason: str, owner: str) -> NoReturn:
    legal = "a file of episodes that an evaluation wrote, or the name of a new one"
    check.refuse("episodes_file", owner, legal, f"{str(path)!r} ({reason})")


def _require_fitting(
    found: EpisodeSet, options: EpisodeOptions, n_episodes: int, labels_sha256: str, owner: str
) -> None:
    """Refuse episodes of other labels or options than requested."""
    differences = [
        f"{name} is {found.described.get(name)!r:.100}, not {value}"
        for name, value in options.described().items()
        if value != found.described.get(name)
    ]
    if len(found) < n_episodes:
        differences.append(f"it holds {len(found)} episodes, fewer than {n_episodes}")
    if options.legacy and not found.legacy:
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
    episodes = found.episodes
    n_classes = episodes.n_way + episodes.unknown
    images = np.concatenate([episodes.support, episodes.query])
    if images.min() < 0 or images.max() >= len(labels):
        reason = f"positions are in {images.min()}..{images.max()}"
    elif (labels[images] != np.concatenate(_classes_of_images(episodes))).any():
        reason = "an image has another class than stated"
    elif _repeats(np.repeat(np.arange(len(found)), n_classes), episodes.classes):
        reason = "an episode has a class twice"
    elif _repeats(np.concatenate(_episodes_of_images(episodes)), images):
        reason = "an episode has an image twice"
    elif reason := _wrong_extent(found):
        pass
    else:
        return
    legal = f"a file of positions of {len(labels)} images, as they were drawn"
    check.refuse("episodes_file", owner, legal, f"{found.file!r}: {reason}")


def _is_known(episodes: DrawnEpisodes) -> NDArray[np.bool_]:
    """Return for each class of the episodes whether it has support images."""
    n_classes = episodes.n_way + episodes.unknown
    first = np.repeat(np.cumsum(n_classes) - n_classes, n_classes)
    return np.arange(len(first)) - first < np.repeat(episodes.n_way, n_classes)


def _classes_of_images(episodes: DrawnEpisodes) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the stated class of each support image and of each query."""
    shots = np.repeat(episodes.n_shot, episodes.n_way + episodes.unknown) * _is_known(episodes)
    return (
        np.repeat(episodes.classes, shots),
        np.repeat(episodes.classes, episodes.query_counts),
    )


def _episodes_of_images(episodes: DrawnEpisodes) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the number of the episode of each support image and of each query."""
    numbers = np.arange(len(episodes))
    of_class = np.repeat(numbers, episodes.n_way + episodes.unknown)
    return (
        np.repeat(numbers, episodes.n_way * episodes.n_shot),
        np.repeat(of_class, episodes.query_counts),
    )


def _wrong_extent(found: EpisodeSet) -> str:
    """Say which episode has another extent than its options allow; nothing if none has."""
    episodes = found.episodes
    for name, sizes in (("n_way", episodes.n_way), ("n_shot", episodes.n_shot)):
        stated = found.described[name]
        least, most = stated if isinstance(stated, list) else (stated, stated)
        if sizes.min() < least or sizes.max() > most:
            return f"{name} is in {sizes.min()}..{sizes.max()}"
    n_classes = episodes.n_way + episodes.unknown
    starts, n_query = np.cumsum(n_classes) - n_classes, found.described["n_query"]
    known = np.add.reduceat(episodes.query_counts * _is_known(episodes), starts)
    queries = np.add.reduceat(episodes.query_counts, starts)
    if (known != episodes.n_way * n_query).any() or (queries != n_classes * n_query).any():
        return "an episode has another number of queries than stated"
    return ""


def _repeats(episodes: NDArray[np.int64], values: NDArray[np.int64]) -> bool:
    """Whether an episode holds a value twice."""
    order = np.lexsort((values, episodes))
    episodes, values = episodes[order], values[order]
    return bool(((values[1:] == values[:-1]) & (episodes[1:] == episodes[:-1])).any())
