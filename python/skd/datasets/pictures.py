"""Reading picture files with Pillow."""

from __future__ import annotations

import struct
import sys
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
#: Pixels per byte, from some size on, that only damaged files exceed; an empty page has less.
MAX_PIXELS_OF_BYTE, COUNTS_FROM = 2000, 4_000_000
#: Formats by Pillow's names. Others run programs (EPS) or accept any bytes (TGA).
FORMATS = (
    *("JPEG", "PNG", "GIF", "BMP", "WEBP", "TIFF", "PPM", "JPEG2000"),
    *("AVIF", "HEIF"),  # in newer versions, or by a plugin
)
ORIENTATION = 0x0112  # EXIF tag; 1 is upright
PREFIX = 16  # bytes by which Pillow recognises formats
AT_ONCE = 256
SHOWN = 10  # files named in a message


def pillow() -> ModuleType:
    """Return Pillow's module of images, or raise an error that says how to install it."""
    try:
        from PIL import Image
    except ImportError as error:
        raise ImportError("Picture files need Pillow: pip install pillow") from error
    return Image


def read_picture(path: Path, side: int, channels: int) -> Block:
    """Return a picture upright, scaled so that the shorter side is `side`, and cropped to a square.

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


def is_picture(value: object) -> bool:
    """Return whether a value is an image of Pillow, without importing Pillow."""
    module = sys.modules.get("PIL.Image")
    return module is not None and isinstance(value, module.Image)


def square_picture(image: Any, side: int, channels: int) -> Block:
    """Return an image of Pillow as `read_picture` returns that of a file; it does not change.

    Raises
    ------
    ValueError
        If its pixels cannot be read; the message is the reason.
    """
    with _reasons():
        square = _upright_square(image.copy(), side, channels)
        return np.asarray(square, dtype=np.uint8).reshape(side, side, channels)


def decode_picture(content: bytes, side: int, channels: int) -> Block:
    """Return a picture in memory that already has the wanted size.

    Raises
    ------
    ValueError
        If the picture cannot be read, or has another size; the message is the reason.
    """
    with _reasons(), _opened(BytesIO(content), "") as image:
        if image.size != (side, side):
            raise ValueError(f"{image.width} x {image.height} pixels, not {side} x {side}")
        square = _upright_square(image, side, channels)
        return np.asarray(square, dtype=np.uint8).reshape(side, side, channels)


@contextmanager
def _reasons() -> Iterator[None]:
    """Convert any error of reading a picture to a reason."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about damaged metadata; sizes are checked here
            yield
    except ValueError:
        raise
    except Exception as error:  # Pillow's decoders raise errors of many types on damaged files
        raise ValueError(f"{error or type(error).__name__}") from error


def _opened(file: IO[bytes], suffix: str) -> Any:
    """Open a picture without reading its pixels.

    Pillow's `open` refuses pictures of more than 179 megapixels, unless a global setting is
    changed.
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
            if not answer or isinstance(answer, str):  # the error says that support is not built in
                continue
            file.seek(0)
            image = factory(file, "")  # without a file name, Pillow does not map the file
        except (SyntaxError, IndexError, TypeError, struct.error) as error:
            damage = damage or f"a damaged {name} picture, or one of an unknown kind ({error})"
            continue
        _require_plausible_size(image.width, image.height, length)
        return image
    kind = kind_of(start)
    if damage is None and kind is not None:
        damage = f"{kind}, not a picture"
    unknown = f"the format of {suffix!r} files is not read; convert it to JPEG or PNG"
    raise ValueError(damage or unknown)


def _require_plausible_size(width: int, height: int, length: int) -> None:
    """Refuse pictures with too many pixels, or far too many for their length in bytes."""
    pixels = width * height
    if pixels > MAX_PIXELS:
        raise ValueError(f"{width} x {height} pixels are more than the limit of {MAX_PIXELS:,}")
    if pixels > max(COUNTS_FROM, MAX_PIXELS_OF_BYTE * length):
        raise ValueError(f"{width} x {height} pixels in {length:,} bytes cannot be a picture")


def _upright_square(image: Any, side: int, channels: int) -> Any:
    """Return the central square of a picture, scaled and turned upright."""
    from PIL import ImageOps

    module = pillow()
    image.draft(None, (side, side))  # JPEG files are read at a fraction of their size
    tiles = getattr(image, "tile", None)  # images in memory have none
    raw_mode = str(tiles[0][3]) if tiles else ""
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
    """Return the operation that turns a picture upright; None if none is needed or known."""
    try:
        orientation = image.getexif().get(ORIENTATION)
    except Exception:  # errors have many types, and the pixels are intact
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
    """Return the first of many reasons, and the number of further ones."""
    more = f"; and {len(reasons) - SHOWN} more" if len(reasons) > SHOWN else ""
    return "; ".join(reasons[:SHOWN]) + more


def unreadable_count(reasons: Sequence[str]) -> str:
    """Describe the number of pictures that cannot be read, with the first reasons."""
    pictures = "picture" if len(reasons) == 1 else "pictures"
    return f"{len(reasons)} {pictures} cannot be read: {shown(reasons)}"


def pictures(paths: Sequence[Path], side: int, channels: int = 3) -> Pixels:
    """Read pictures in blocks; one error lists all that cannot be read."""
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
    """Read pictures; those that cannot be read are black, and are appended with the reason."""
    chosen = list(paths)
    block = np.zeros((len(chosen), side, side, channels), dtype=np.uint8)
    for image, path in zip(block, chosen, strict=True):
        try:
            image[:] = read_picture(path, side, channels)
        except ValueError as error:
            unreadable.append(f"{str(path)!r} ({error})")
    return block
