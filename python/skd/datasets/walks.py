"""Search for picture files in folders, ignoring hidden and system files at every level."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

#: Files and folders that desktops, network drives and archives leave, in lower case.
SYSTEM_NAMES = frozenset(
    {
        "#recycle",
        "#snapshot",
        "$recycle.bin",
        "@eadir",
        "@recently-snapshot",
        "@recycle",
        "@tmp",
        "__macosx",
        "__pycache__",
        "desktop.ini",
        "ehthumbs.db",
        "ehthumbs_vista.db",
        "icon\r",
        "lost+found",
        "network trash folder",
        "recycler",
        "system volume information",
        "temporary items",
        "thumbs.db",
    }
)
READ = (
    ".jpg .jpeg .jpe .jfif .mpo .png .apng .bmp .gif .webp .tif .tiff .ppm .pgm .pbm .pnm .jp2 "
    ".avif"
)
NOT_READ = (
    ".dib .heic .heif .hif .jxl .tga .pcx .psd .svg .eps .ico .exr .hdr .dng .cr2 .cr3 .crw .nef "
    ".nrw .arw .orf .raf .rw2 .pef .srw .raw .dcm"
)
#: File names of pictures, whether the format can be read or not.
SUFFIXES = frozenset(f"{READ} {NOT_READ}".split())
#: First bytes of pictures without any of these names.
SIGNATURE = re.compile(
    rb"\xff\xd8\xff|\x89PNG\r\n|GIF8[79]a|RIFF....WEBP|II\*\x00|MM\x00\*|....ftyp(heic|mif1|avif)",
    re.DOTALL,
)


def is_hidden(name: str) -> bool:
    """Return whether an entry of a folder is hidden or a system file."""
    return name.startswith((".", "~$")) or name.lower() in SYSTEM_NAMES


def printable(path: Path | str) -> str:
    """Return a path as printable text; file names may hold bytes that are not text."""
    return str(path).encode("utf-8", "backslashreplace").decode()


def visible(folder: Path) -> list[Path]:
    """Return the entries of a folder that are not hidden, in the order of their names."""
    return sorted(path for path in folder.iterdir() if not is_hidden(path.name))


def is_picture(path: Path) -> bool:
    """Return whether a visible file is a picture, by its name or its content.

    An entry with a picture's name that is not a file, such as a broken link, counts as a picture;
    reading it gives the error.
    """
    if path.is_dir():
        return False
    return path.suffix.lower() in SUFFIXES or (path.is_file() and _begins_like_one(path))


def pictures_in(folder: Path) -> list[Path]:
    """Return the pictures directly in a folder, in the order of their names."""
    return [path for path in visible(folder) if is_picture(path)]


def pictures_below(folder: Path, left_out: list[str]) -> list[Path]:
    """Return the pictures of a folder and of all folders in it, in the order of their names.

    Parameters
    ----------
    folder : Path
        Folder to search; links to folders are followed, each folder once.
    left_out : list of str
        List to which unreadable folders are appended, each with the reason.
    """
    found: list[Path] = []
    for path in _folders_from(folder):
        try:
            found += pictures_in(path)
        except OSError as error:
            left_out.append(f"{printable(path)}: {error.strerror or error}")
    return sorted(found)


def class_folders(folder: Path, left_out: list[str]) -> dict[str, list[Path]]:
    """Return the pictures below each folder of a folder, in the order of their names.

    Parameters
    ----------
    folder : Path
        Folder of the folders of classes.
    left_out : list of str
        List to which entries without pictures or outside of classes are appended, with the reason.
    """
    classes = {}
    for entry in visible(folder):
        if entry.is_dir():
            found = pictures_below(entry, left_out)
            if found:
                classes[entry.name] = found
            else:
                left_out.append(f"{printable(entry)}: a folder without pictures")
        elif is_picture(entry):
            left_out.append(f"{printable(entry)}: is in no folder of a class")
    return classes


def _folders_from(folder: Path) -> Iterator[Path]:
    """Yield a folder and its subfolders, each once, even if links form cycles."""
    waiting, seen = [folder], set()
    while waiting:
        path = waiting.pop()
        state = path.stat()
        if (state.st_dev, state.st_ino) in seen:
            continue
        seen.add((state.st_dev, state.st_ino))
        yield path
        if os.access(path, os.R_OK | os.X_OK):
            waiting += [entry for entry in visible(path) if entry.is_dir()]


def _begins_like_one(path: Path) -> bool:
    try:
        with open(path, "rb") as file:
            return SIGNATURE.match(file.read(16)) is not None
    except OSError:
        return False
