"""Draw characters as plain shapes, and find those that look alike, upright or turned."""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import numpy as np
from glyph_fonts import SCRIPTS, Face
from PIL import Image, ImageDraw, ImageFilter, ImageFont

INK_SIZE = 96


@cache
def draw_ink(face: Face, character: str) -> Image.Image | None:
    """Draw a character, cropped to its ink; None if it is blank or its outline is broken."""
    font = ImageFont.truetype(
        face.file, INK_SIZE, index=face.index, layout_engine=ImageFont.Layout.BASIC
    )
    canvas = Image.new("L", (4 * INK_SIZE, 4 * INK_SIZE))
    try:
        ImageDraw.Draw(canvas).text((1.5 * INK_SIZE, INK_SIZE), character, fill=255, font=font)
    except OSError:  # FreeType rejects the glyph program
        return None
    box = canvas.getbbox()
    return canvas.crop(box) if box else None


def shape_vector(ink: Image.Image, side: int = 24) -> np.ndarray:
    """Describe a shape free of size and position: centred, blurred, zero mean, unit norm."""
    scale = (side - 4) / max(ink.size)
    width, height = (max(1, round(length * scale)) for length in ink.size)
    canvas = Image.new("L", (side, side))
    small = ink.resize((width, height), Image.Resampling.BOX)
    canvas.paste(small, ((side - width) // 2, (side - height) // 2))
    vector = np.asarray(canvas.filter(ImageFilter.GaussianBlur(1.0)), dtype=np.float32)
    vector = vector - vector.mean()
    return np.asarray(vector / np.linalg.norm(vector))


def is_placeholder(face: Face, character: str) -> bool:
    """Tell whether the face has the same glyph for another character of the script too."""
    script = next(s for s in SCRIPTS if character in s.characters)
    ink = draw_ink(face, character)
    others = (draw_ink(face, c) for c in script.characters if c != character)
    return any(ink == other for other in others)


class CharacterShapes(NamedTuple):
    """The faces that draw a character well, and its shape in each."""

    faces: list[Face]
    vectors: np.ndarray  # [faces, side, side]


def collect_shapes(faces: list[Face], character: str) -> CharacterShapes:
    """Draw a character in all faces; leave out blanks, twins and those unlike the others."""
    good: list[Face] = []
    vectors: list[np.ndarray] = []
    for face in faces:
        ink = draw_ink(face, character) if ord(character) in face.code_points else None
        if ink is None or is_placeholder(face, character):
            continue
        vector = shape_vector(ink)
        if all(np.vdot(vector, other) < 0.998 for other in vectors):
            good.append(face)
            vectors.append(vector)
    stack = np.array(vectors)
    centre = np.median(stack, axis=0)
    centre /= np.linalg.norm(centre)
    alike = np.einsum("nij,ij->n", stack, centre) > 0.5
    return CharacterShapes([face for face, ok in zip(good, alike, strict=True) if ok], stack[alike])


def confusion_rates(shapes: dict[str, CharacterShapes]) -> list[tuple[float, str, str, int]]:
    """List how often a shape is nearest to another character, or to a turned one.

    Returns
    -------
    confusions : list of (rate, character, other, quarter_turns), highest rate first
        `rate` is the part of the character's faces whose nearest class mean is that of
        `other` turned by `quarter_turns`.
    """
    characters = list(shapes)
    means = np.array([shapes[c].vectors.mean(axis=0) for c in characters])
    means /= np.linalg.norm(means, axis=(1, 2), keepdims=True)
    turned = np.concatenate([np.rot90(means, k, axes=(1, 2)) for k in range(4)])
    result = []
    for position, character in enumerate(characters):
        vectors = shapes[character].vectors
        nearest = (vectors.reshape(len(vectors), -1) @ turned.reshape(len(turned), -1).T).argmax(1)
        for other in np.unique(nearest[nearest != position]):
            turns, which = divmod(int(other), len(characters))
            rate = float((nearest == other).mean())
            result.append((rate, character, characters[which], turns))
    return sorted(result, reverse=True)
