"""Draw the embedded data set "glyphs": characters of many scripts in many type faces.

Usage::

    apt-get install $(python python/tools/make_glyphs.py --list-packages)
    pip install numpy pillow
    python python/tools/make_glyphs.py --output python/skd/datasets/glyphs.npz \
        --contact-sheet glyphs.png

Only fonts of the listed Debian packages are used (`dpkg -L` tells which files, `fc-list` which
characters each covers), so the same package versions and seed give the same images.
docs/explanation/glyphs.md describes the result; `skd.datasets._glyphs` reads it.
"""

from __future__ import annotations

import argparse
import json
import math
import unicodedata
from collections import defaultdict
from pathlib import Path
from typing import NamedTuple

import numpy as np
from glyph_fonts import PACKAGES, SCRIPTS, SPLITS, Script, choose_faces, find_faces, licences
from glyph_images import SIDE, draw_image, quantise
from glyph_shapes import CharacterShapes, collect_shapes, confusion_rates
from PIL import Image


class Split(NamedTuple):
    """Arrays of one split, as stored."""

    indices: np.ndarray
    palette: np.ndarray
    labels: np.ndarray
    names: np.ndarray


def class_name(script: Script, character: str) -> str:
    """Name a class, such as ``latin/LATIN CAPITAL LETTER A``."""
    return f"{script.name}/{unicodedata.name(character)}"


def draw_split(split: str, shapes: dict[str, CharacterShapes], n_images: int, seed: int) -> Split:
    """Draw all classes of a split, each face of a class about equally often."""
    indices, palettes, names = [], [], []
    for script in (script for script in SCRIPTS if script.split == split):
        for character in script.characters:
            rng = np.random.default_rng([seed, ord(character)])
            faces = shapes[character].faces
            order = np.concatenate(
                [rng.permutation(len(faces)) for _ in range(math.ceil(n_images / len(faces)))]
            )
            for which in order[:n_images]:
                packed, palette = quantise(draw_image(faces[which], character, rng))
                indices.append(packed)
                palettes.append(palette)
            names.append(class_name(script, character))
    labels = np.repeat(np.arange(len(names), dtype=np.int64), n_images)
    return Split(np.array(indices), np.array(palettes), labels, np.array(names))


def unpack(split: Split) -> np.ndarray:
    """Turn indices and palettes back into uint8 images."""
    indices = np.stack([split.indices >> 4, split.indices & 15], axis=-1)
    indices = indices.reshape(len(indices), -1).astype(np.int64)
    colours = split.palette[np.arange(len(indices))[:, None], indices]
    return np.asarray(colours.reshape(-1, SIDE, SIDE, 3))


def describe(shapes: dict[str, CharacterShapes], seed: int) -> str:
    """Write the metadata: scripts, fonts, licences."""
    used = {(face.package, face.family) for shape in shapes.values() for face in shape.faces}
    fonts = defaultdict(list)
    for package, family in sorted(used):
        fonts[package].append(family)
    scripts = {s.name: {"split": s.split, "characters": s.characters} for s in SCRIPTS}
    packages = {p: {"families": fonts[p], "licences": licences(p)} for p in fonts}
    content = {"name": "glyphs", "seed": seed, "scripts": scripts, "font_packages": packages}
    return json.dumps(content, ensure_ascii=False, sort_keys=True)


def save(path: Path, splits: dict[str, Split], metadata: str) -> None:
    """Write the compressed file."""
    pixels = unpack(splits["train"]).reshape(-1, 3) / 255.0
    arrays = {
        f"{name}_{field}": array
        for name, split in splits.items()
        for field, array in split._asdict().items()
    }
    np.savez_compressed(
        path,
        **arrays,
        mean=pixels.mean(axis=0),
        std=pixels.std(axis=0),
        metadata=np.array(metadata),
    )


def contact_sheet(splits: dict[str, Split], columns: int) -> Image.Image:
    """Show each class in one row of images, splits one after the other."""
    rows = []
    for split in splits.values():
        images = unpack(split)
        rows += [images[split.labels == c][:columns] for c in range(len(split.names))]
    return Image.fromarray(np.concatenate([np.concatenate(list(r), axis=1) for r in rows]))


def report(shapes: dict[str, CharacterShapes]) -> None:
    """Print the number of faces of each script and the worst confusions of shapes."""
    for script in SCRIPTS:
        counts = [len(shapes[c].faces) for c in script.characters]
        print(
            f"{script.split:5} {script.name:10} {len(counts):3} classes,"
            f" {min(counts)} to {max(counts)} faces"
        )
    for rate, character, other, turns in confusion_rates(shapes):
        if rate >= 0.05:
            print(f"{rate:.2f} of {character} look like {other} turned by {90 * turns}")


def parse_arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--output", type=Path, help="the .npz file to write")
    parser.add_argument("--contact-sheet", type=Path, help="a PNG with a row for each class")
    parser.add_argument("--images", type=int, default=40, help="images of each class")
    parser.add_argument("--faces", type=int, default=60, help="most faces of each script")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--list-packages", action="store_true", help="print them and stop")
    return parser.parse_args()


def main() -> None:
    """Draw the data set, or only report on the shapes when there is nothing to write."""
    arguments = parse_arguments()
    if arguments.list_packages:
        print(" ".join(PACKAGES))
        return
    faces = find_faces()
    shapes = {}
    for script in SCRIPTS:
        chosen = choose_faces(faces, script, arguments.faces, arguments.seed)
        shapes.update({c: collect_shapes(chosen, c) for c in script.characters})
    report(shapes)
    if not (arguments.output or arguments.contact_sheet):
        return
    splits = {s: draw_split(s, shapes, arguments.images, arguments.seed) for s in SPLITS}
    if arguments.output:
        save(arguments.output, splits, describe(shapes, arguments.seed))
    if arguments.contact_sheet:
        contact_sheet(splits, columns=25).save(arguments.contact_sheet)


if __name__ == "__main__":
    main()
