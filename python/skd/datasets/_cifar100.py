"""CIFAR-FS and FC100 from the archive of CIFAR-100, by the committed lists of classes."""

from __future__ import annotations

import gzip
import tarfile
import zlib
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from skd._files.array_files import look_at, refuse
from skd._memory import require_memory
from skd.datasets import _data_files as files
from skd.datasets._parts import Block, Part, checked_labels, gather, text_names
from skd.datasets.catalogue import REQUIRED, Published
from skd.datasets.class_lists import ALL_CLASSES, class_list

FOLDER = "cifar-100-python"
ARCHIVE = f"{FOLDER}.tar.gz"
MEMBERS = ("train", "test", "meta")
SIDE = 32
#: The archive of 169 MB unpacks to 187 MB. At most these bytes and twice a file are unpacked.
SPARE_UNPACKED = 24 << 20
#: The files, their images in order, and the parts.
NEEDED = 3 * 60_000 * 3 * SIDE * SIDE


class _Bounded:
    """A stream that refuses to unpack to more than a limit."""

    def __init__(self, file: gzip.GzipFile, path: Path) -> None:
        self._file, self._path = file, path
        self._limit = self._left = 2 * path.stat().st_size + SPARE_UNPACKED

    def read(self, size: int) -> bytes:
        """Return the next bytes."""
        content = self._file.read(size)
        self._left -= len(content)
        if self._left < 0:
            refuse(self._path, f"unpacks to more than {self._limit:,} bytes")
        return content


def cifar100_paths(folder: Path, published: Published) -> dict[str, Path]:
    """Return the archive, or its unpacked folder, for each part."""
    if published.side != SIDE:
        return {}
    for path in (folder / ARCHIVE, folder / FOLDER / "train", folder / "train"):
        if path.is_file():
            return dict.fromkeys(REQUIRED, path)
    return {}


def read_cifar100(paths: dict[str, Path], published: Published) -> dict[str, Part]:
    """Read the parts; the training images of each precede its test images, in order."""
    (path,) = set(paths.values())
    look_at(path)
    require_memory(NEEDED, f"CIFAR-100 from {str(path)!r}")
    if path.name == "train":
        contents = {member: files.read_pickle(path.with_name(member)) for member in MEMBERS}
    else:
        contents = {
            member: files.unpickle(content, path / member)
            for member, content in _unpack(path).items()
        }
    names = text_names(files.entry(contents["meta"], ("fine_label_names",), path), path)
    if set(names) != ALL_CLASSES or len(names) != len(ALL_CLASSES):
        refuse(path, "its class names differ from those of CIFAR-100")
    halves = [_images_and_labels(contents[member], path / member) for member in ("train", "test")]
    images = np.concatenate([half[0] for half in halves])
    labels = np.concatenate([half[1] for half in halves])
    if labels.min() < 0 or labels.max() >= len(names):
        refuse(path, f"its labels are {labels.min()}..{labels.max()}, not 0..99")
    parts = {}
    for part in REQUIRED:
        chosen = class_list(published.name, part)
        wanted = np.array([name in chosen for name in names])
        positions = np.flatnonzero(wanted[labels])
        present = np.unique(labels[positions])
        if len(present) != len(chosen):
            refuse(path, f"{len(chosen) - len(present)} classes of {part} have no images")
        part_names = tuple(names[label] for label in present)
        parts[part] = Part(gather(images, positions), labels[positions], part_names, (path,))
    return parts


def _images_and_labels(content: Any, path: Path) -> tuple[Block, np.ndarray[Any, Any]]:
    planes = files.entry(content, ("data",), path)
    size = 3 * SIDE * SIDE
    if not isinstance(planes, np.ndarray) or planes.dtype != np.uint8:
        refuse(path, "its images are not an array of uint8")
    if planes.ndim != 2 or planes.shape[1] != size:
        refuse(path, f"its images have shape {planes.shape}, not n x {size}")
    labels = files.entry(content, ("fine_labels",), path)
    images = planes.reshape(-1, 3, SIDE, SIDE).transpose(0, 2, 3, 1)
    return images, checked_labels(labels, path, len(planes), path)


def _unpack(path: Path) -> dict[str, bytes]:
    """Return the three files of the archive without writing anything."""
    contents: dict[str, bytes] = {}
    try:
        with gzip.open(path) as unpacked:
            stream: Any = _Bounded(unpacked, path)
            with tarfile.open(fileobj=stream, mode="r|") as archive:
                for member in archive:
                    _take(member, archive, contents, path)
    except (tarfile.TarError, OSError, EOFError, zlib.error) as error:
        refuse(path, f"the archive is damaged or truncated ({error})", error)
    missing = [member for member in MEMBERS if member not in contents]
    if missing:
        refuse(path, f"the archive is truncated or foreign: it lacks {', '.join(missing)}")
    return contents


def _take(
    member: tarfile.TarInfo, archive: tarfile.TarFile, contents: dict[str, bytes], path: Path
) -> None:
    name = PurePosixPath(member.name)
    if name.is_absolute() or ".." in name.parts:
        refuse(path, f"the archive has a member outside of its folder, {member.name!r:.80}")
    if not (member.isreg() or member.isdir()):
        refuse(path, f"the archive has a link or device, {member.name!r:.80}")
    if len(name.parts) == 2 and name.parts[0] == FOLDER and name.name in MEMBERS:
        file = archive.extractfile(member)
        if file is None or name.name in contents:
            refuse(path, f"the archive's {member.name!r} is not a file, or occurs twice")
        contents[name.name] = file.read()
