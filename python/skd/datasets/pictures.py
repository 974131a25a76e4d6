"""Picture files, read by Pillow."""

from __future__ import annotations

import struct
import warnings
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from io import SEEK_END, BytesIO
from pathlib import Path
from types import ModuleType
from typing import IO, Any

import numpy as np

from skd._files.kinds import START, kind_of
from skd.datasets import _pixels
from skd.datasets._parts import Block, Pixels

MAX_PIXELS = 250_000_000
#: Beyond some pixels, a byte that stands for more of them is damage: an empty page has less.
MAX_PIXELS_OF_BYTE, COUNTS_FROM = 2000, 4_000_000
#: Formats by Pillow's names. Others draw (EPS runs a program), or accept whatever comes (TGA).
FORMATS = (
    *("JPEG", "PNG", "GIF", "BMP", "WEBP", "TIFF", "PPM", "JPEG2000"),
    *("AVIF", "HEIF"),  # of newer versions, and of a plugin
)
ORIENTATION = 0x0112  # of EXIF: 1 is upright
PREFIX = 16  # bytes by which Pillow tells formats
AT_ONCE = 256
SHOWN = 10  # files that a message names


def pillow() -> ModuleType:
    """Return Pillow's module of images, or say how to install it."""
    try:
        from PIL import Image
    except ImportError as error:
        raise ImportError("Picture files need Pillow: pip install 'skd[images]'") from error
    return Image


def read_picture(path: Path, side: int, channels: int) -> Block:
    """Return a picture upright, its short side scaled to `side` and the middle cut out.

    Raises
    ------
    ValueError
        If the file cannot be read; the message is the reason.
    """
    with _reasons():
        if not path.is_file():
            raise ValueError("not a file" if path.exists() else "no such file")
        with open(path, "rb") as file, _opened(file, path.suffix) as image:
            square = _upright_square(image, side, channels)
        return np.asarray(square, dtype=np.uint8).reshape(side, side, channels)


def decode_picture(content: bytes, side: int, channels: int) -> Block:
    """Return a picture in memory, which has the wanted size already.

    Raises
    ------
    ValueError
        If it cannot be read, or is of another size; the message is the reason.
    """
    with _reasons(), _opened(BytesIO(content), "") as image:
        if image.size != (side, side):
            raise ValueError(f"{image.width} x {image.height} pixels, not {side} x {side}")
        square = _upright_square(image, side, channels)
        return np.asarray(square, dtype=np.uint8).reshape(side, side, channels)


@contextmanager
def _reasons() -> Iterator[None]:
    """Make a reason of whatever is raised by reading a picture."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of damaged metadata; sizes are checked here
            yield
    except ValueError:
        raise
    except Exception as error:  # Pillow's decoders raise errors of many types on damaged files
        raise ValueError(f"{error or type(error).__name__}") from error


def _opened(file: IO[bytes], suffix: str) -> Any:
    """Return the picture of a file, its pixels not read yet.

    Pillow's own `open` refuses pictures of more than 179 megapixels, unless a setting of the whole
    process is changed.
    """
    module = pillow()
    module.init()
    start, length = file.read(START), file.seek(0, SEEK_END)
    damage = None
    prefix = start[:PREFIX].ljust(PREFIX, b"\0")
    for name in FORMATS:
        factory, accepts = module.OPEN.get(name, (None, None))
        try:
            answer = accepts and accepts(prefix)
            if not answer or isinstance(answer, str):  # which says that it is not built in
                continue
            file.seek(0)
            image = factory(file, "")  # without a name no file is mapped
        except (SyntaxError, IndexError, TypeError, struct.error) as error:
            damage = damage or f"a damaged {name} picture, or of an unknown kind ({error})"
            continue
        _require_plausible_size(image.width, image.height, length)
        return image
    kind = kind_of(start)
    if damage is None and kind is not None:
        damage = f"{kind}, not a picture"
    unknown = f"the format of {suffix!r} files is not read; convert it to JPEG or PNG"
    raise ValueError(damage or unknown)


def _require_plausible_size(width: int, height: int, length: int) -> None:
    """Refuse what has too many pixels, or far more than a picture of its length in bytes."""
    pixels = width * height
    if pixels > MAX_PIXELS:
        raise ValueError(f"{width} x {height} pixels are more than the limit of {MAX_PIXELS:,}")
    if pixels > max(COUNTS_FROM, MAX_PIXELS_OF_BYTE * length):
        raise ValueError(f"{width} x {height} pixels in {length:,} bytes are no picture")


def _upright_square(image: Any, side: int, channels: int) -> Any:
    """Return the middle of a picture, scaled and turned."""
    from PIL import ImageOps

    module = pillow()
    image.draft(None, (side, side))  # JPEG files are read at a fraction of their size
    raw_mode = str(image.tile[0][3]) if image.tile else ""
    image.load()
    _pixels.require_visible(image, raw_mode)
    plain = _pixels.with_plain_mode(_pixels.eight_bits(image))
    if _pixels.MODES[channels] in _pixels.WITH_OPACITY:
        plain = _pixels.with_channels(plain, channels)
    if plain.size != (side, side):
        plain = ImageOps.fit(plain, (side, side), module.Resampling.BICUBIC)
    turn = _turn(image)
    return _pixels.with_channels(plain if turn is None else plain.transpose(turn), channels)


def _turn(image: Any) -> Any:
    """Return what turns a picture upright; None if nothing does, or its metadata are damaged."""
    try:
        orientation = image.getexif().get(ORIENTATION)
    except Exception:  # of many types; the pixels are whole
        return None
    turns = pillow().Transpose
    return {
        2: turns.FLIP_LEFT_RIGHT,
        3: turns.ROTATE_180,
        4: turns.FLIP_TOP_BOTTOM,
        5: turns.TRANSPOSE,
        6: turns.ROTATE_270,
        7: turns.TRANSVERSE,
        8: turns.ROTATE_90,
    }.get(orientation)


def shown(reasons: Sequence[str]) -> str:
    """Return the first of many reasons, and how many more there are."""
    more = f"; and {len(reasons) - SHOWN} more" if len(reasons) > SHOWN else ""
    return "; ".join(reasons[:SHOWN]) + more


def unreadable_count(reasons: Sequence[str]) -> str:
    """Return how many pictures cannot be read, with the reasons for the first of them."""
    pictures = "picture" if len(reasons) == 1 else "pictures"
    return f"{len(reasons)} {pictures} cannot be read: {shown(reasons)}"


def pictures(paths: Sequence[Path], side: int, channels: int = 3) -> Pixels:
    """Return the pictures of files, read in blocks; all that cannot be read are one error."""
    from skd.errors import DataError

    def blocks() -> Iterator[Block]:
        unreadable: list[str] = []
        for start in range(0, len(paths), AT_ONCE):
            block = _read_block(paths[start : start + AT_ONCE], side, channels, unreadable)
            if not unreadable:
                yield block
        if unreadable:
            raise DataError(f"{unreadable_count(unreadable)}.")

    return Pixels((len(paths), side, side, channels), blocks)


def _read_block(paths: Iterable[Path], side: int, channels: int, unreadable: list[str]) -> Block:
    """Return pictures; those that cannot be read are black, and appended with the reason."""
    chosen = list(paths)
    block = np.zeros((len(chosen), side, side, channels), dtype=np.uint8)
    for image, path in zip(block, chosen, strict=True):
        try:
            image[:] = read_picture(path, side, channels)
        except ValueError as error:
            unreadable.append(f"{str(path)!r} ({error})")
    return block
