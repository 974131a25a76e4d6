"""Draw varied images of a character: size, slant, weight, place, colours, texture, noise."""

from __future__ import annotations

import math

import numpy as np
from glyph_fonts import Face
from glyph_shapes import draw_ink
from PIL import Image, ImageDraw, ImageFilter

SIDE = 32
OVERSAMPLING = 4
N_COLOURS = 16


def place_ink(ink: Image.Image, rng: np.random.Generator) -> np.ndarray:
    """Scale, slant, turn a little and place the ink; coverage in 0..1, shape (SIDE, SIDE)."""
    angle = math.radians(rng.uniform(-8, 8))
    slant, stretch = rng.uniform(-0.35, 0.35), math.exp(rng.uniform(-0.25, 0.25))
    cos, sin = math.cos(angle), math.sin(angle)
    matrix = np.array([[cos, -sin], [sin, cos]]) @ [[1, slant], [0, 1]] @ np.diag([stretch, 1])
    extent = np.abs(matrix) @ np.array(ink.size)
    size = rng.uniform(20, 29) * OVERSAMPLING
    matrix *= size / extent.max()
    extent *= size / extent.max()
    canvas = SIDE * OVERSAMPLING
    spare = (canvas - extent) / 2
    centre = canvas / 2 + rng.uniform(-0.4, 0.4, 2) * np.maximum(spare, 0)
    inverse = np.linalg.inv(matrix)
    offset = np.array(ink.size) / 2 - inverse @ centre
    data = (*inverse[0], offset[0], *inverse[1], offset[1])
    placed = ink.transform(
        (canvas, canvas), Image.Transform.AFFINE, data, Image.Resampling.BILINEAR
    )
    placed = change_weight(placed, rng)
    return np.asarray(placed.resize((SIDE, SIDE), Image.Resampling.BOX), dtype=np.float32) / 255


def change_weight(ink: Image.Image, rng: np.random.Generator) -> Image.Image:
    """Make strokes bolder, or lighter where they are thick enough to bear it."""
    choice = rng.uniform()
    if choice < 0.35:
        return ink.filter(ImageFilter.MaxFilter(3 if choice < 0.2 else 5))
    if choice < 0.55:
        light = ink.filter(ImageFilter.MinFilter(3))
        if np.asarray(light).sum() > 0.6 * np.asarray(ink).sum():
            return light
    return ink


def texture(colour: np.ndarray, rng: np.random.Generator, strength: float) -> np.ndarray:
    """Vary a colour over the image by smooth noise of a random scale."""
    cells = int(rng.choice([2, 3, 5, 8, 16]))
    noise = rng.normal(0, strength, (cells, cells, 3))
    if rng.uniform() < 0.5:
        noise[:] = noise[..., :1]
    planes = [
        Image.fromarray(noise[..., c].astype(np.float32)).resize(
            (SIDE, SIDE), Image.Resampling.BICUBIC
        )
        for c in range(3)
    ]
    return np.asarray(colour + np.stack([np.asarray(p) for p in planes], axis=-1))


def choose_colours(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Draw the colours of the ink and of the darker paper, rather grey."""
    weights = np.array([0.299, 0.587, 0.114])
    while True:
        colours = rng.uniform(0, 1, (2, 3))
        greys = (colours @ weights)[:, None]
        if abs(greys[0, 0] - greys[1, 0]) > 0.45:
            paper, ink = (0.3 * colours + 0.7 * greys)[np.argsort(greys[:, 0])]
            return ink, paper


def add_clutter(paper: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Draw a faint stroke on every other paper."""
    for _ in range(rng.integers(0, 2)):
        canvas = Image.new("L", (SIDE * OVERSAMPLING,) * 2)
        ends = [float(x) for x in rng.uniform(-20, SIDE * OVERSAMPLING + 20, 4)]
        pen = ImageDraw.Draw(canvas)
        width = int(rng.integers(3, 14))
        if rng.uniform() < 0.5:
            pen.line(ends, fill=255, width=width)
        else:
            corners = (*np.minimum(ends[:2], ends[2:]), *np.maximum(ends[:2], ends[2:]))
            pen.arc(corners, float(rng.uniform(0, 360)), float(rng.uniform(0, 360)), 255, width)
        cover = np.asarray(canvas.resize((SIDE, SIDE), Image.Resampling.BOX)) / 255
        tint = rng.normal(0, 0.16, 3)
        paper = paper + cover[..., None] * tint
    return paper


def draw_image(face: Face, character: str, rng: np.random.Generator) -> np.ndarray:
    """Draw one varied image of a character, uint8 of shape (SIDE, SIDE, 3)."""
    ink = draw_ink(face, character)
    assert ink is not None
    cover = place_ink(ink, rng)[..., None]
    ink_colour, paper_colour = choose_colours(rng)
    paper = add_clutter(texture(paper_colour, rng, rng.uniform(0, 0.06)), rng)
    image = cover * texture(ink_colour, rng, rng.uniform(0, 0.05)) + (1 - cover) * paper
    image = np.clip(image + rng.normal(0, rng.uniform(0, 0.03), image.shape), 0, 1)
    picture = Image.fromarray((255 * image).round().astype(np.uint8))
    return np.asarray(picture.filter(ImageFilter.GaussianBlur(rng.uniform(0, 0.7))))


def quantise(image: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Reduce an image to 4-bit indices, two per byte (high first), and a palette."""
    reduced = Image.fromarray(image).quantize(
        N_COLOURS, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE
    )
    palette = np.zeros((N_COLOURS, 3), dtype=np.uint8)
    colours = np.array(reduced.getpalette(), dtype=np.uint8).reshape(-1, 3)[:N_COLOURS]
    palette[: len(colours)] = colours
    indices = np.asarray(reduced, dtype=np.uint8)
    return indices[:, 0::2] << 4 | indices[:, 1::2], palette
