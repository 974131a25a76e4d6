"""Draw the embedded data set "glyphs": characters of many scripts in many type faces.

Usage::

    apt-get install $(python python/tools/make_glyphs.py --list-packages)
    pip install numpy pillow
    python python/tools/make_glyphs.py --output python/skd/datasets/glyphs.npz \
        --contact-sheet /tmp/glyphs.png

Only fonts of the listed Debian packages are used (`dpkg -L` tells which files, `fc-list` which
characters each covers), so the same package versions and seed give the same file, byte for byte.
docs/glyphs.md describes the result; `skd.datasets._glyphs` reads it.
"""

from __future__ import annotations

import argparse
import json
import math
import re
import subprocess
import unicodedata
from collections import defaultdict
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageFont

SIDE = 32
OVERSAMPLING = 4
N_COLOURS = 16
INK_SIZE = 96

PACKAGES = """
fonts-dejavu-core fonts-dejavu-extra fonts-freefont-ttf fonts-liberation2 fonts-linuxlibertine
fonts-gfs-artemisia fonts-gfs-baskerville fonts-gfs-bodoni-classic fonts-gfs-complutum
fonts-gfs-didot fonts-gfs-didot-classic fonts-gfs-gazis fonts-gfs-neohellenic fonts-gfs-olga
fonts-gfs-porson fonts-gfs-solomos fonts-gfs-theokritos fonts-croscore fonts-crosextra-carlito
fonts-cmu fonts-comfortaa fonts-ebgaramond fonts-oldstandard fonts-paratype fonts-open-sans
fonts-roboto-unhinted fonts-roboto-slab fonts-play fonts-jura fonts-go fonts-sil-gentiumplus
fonts-sil-charis fonts-sil-andika fonts-texgyre fonts-vollkorn fonts-junicode fonts-hack
fonts-jetbrains-mono fonts-anonymous-pro fonts-lobster fonts-humor-sans fonts-comic-neue
fonts-sjfonts fonts-georgewilliams fonts-dustin fonts-opendyslexic fonts-gnutypewriter
fonts-triod-postnaja fonts-noto-core fonts-noto-extra fonts-ipafont-gothic fonts-ipafont-mincho
fonts-vlgothic fonts-kiloji fonts-klee fonts-kouzan-mouhitsu fonts-aoyagi-kouzan-t
fonts-aoyagi-soseki fonts-konatu fonts-komatuna fonts-horai-umefont fonts-sawarabi-mincho
fonts-sawarabi-gothic fonts-seto fonts-yozvox-yozfont fonts-yozvox-yozfont-antique
fonts-yozvox-yozfont-cute fonts-yozvox-yozfont-edu fonts-yusei-magic fonts-reggae
fonts-rocknroll fonts-stick fonts-dejima-mincho fonts-motoya-l-cedar fonts-motoya-l-maruberi
fonts-mplus culmus fonts-sil-ezra fonts-tlwg-garuda-ttf fonts-tlwg-kinnari-ttf
fonts-tlwg-laksaman-ttf fonts-tlwg-loma-ttf fonts-tlwg-mono-ttf fonts-tlwg-norasi-ttf
fonts-tlwg-purisa-ttf fonts-tlwg-sawasdee-ttf fonts-tlwg-typewriter-ttf fonts-tlwg-typist-ttf
fonts-tlwg-typo-ttf fonts-tlwg-umpush-ttf fonts-tlwg-waree-ttf fonts-arundina fonts-deva-extra
fonts-lohit-deva fonts-sil-annapurna fonts-gargi fonts-sahadeva fonts-sarai fonts-kalapi
fonts-smc-anjalioldlipi fonts-smc-chilanka fonts-smc-dyuthi fonts-smc-gayathri fonts-smc-karumbi
fonts-smc-keraleeyam fonts-smc-manjari fonts-smc-meera fonts-smc-rachana
fonts-smc-raghumalayalamsans fonts-smc-suruma fonts-smc-uroob fonts-lohit-mlym
fonts-bpg-georgian fonts-kacst fonts-farsiweb fonts-hosny-amiri fonts-paktype fonts-arabeyes
""".split()


class Script(NamedTuple):
    """A script, the split its characters belong to, and the characters kept of it."""

    name: str
    split: str
    characters: str


# No shape may be in two classes, nor be a rotation of itself or of another: hence the gaps.
SCRIPTS = (
    Script("latin", "train", "ABDEFGKLPQRTYabefghrt245&?@æ"),
    Script("greek", "train", "δζημξπσψΔΣΩ"),
    Script("cyrillic", "train", "БДЛЦЫЭЮЯЉЋѢѪЙ"),
    Script("hiragana", "train", "あうえおかきけさすせそたちてとなにぬねのはひふほまみむめもやゆよらるれわをん"),
    Script("georgian", "train", "ბგდზკლმნჟრტფქღყჩცძჭჯჰ"),
    Script("devanagari", "train", "अइउएकखगघचछजझटडणतथधनपबभमयरवशषसह"),
    Script("hebrew", "val", "בטלמעצקש"),
    Script("arabic", "val", "بجسشطفكموية"),
    Script("thai", "test", "กคงจชฎฐณตทธนบผพฟมรลวสหฬอฮฉญ"),
    Script("katakana", "test", "アイウオクケサシスソタテナヌネホマムラル"),
    Script("malayalam", "test", "അഇഉഎകഖങചഛജണതദനപഫബഭമയരലവശഷസഹളഴ"),
)
SPLITS = ("train", "val", "test")

# Faces that do not draw the plain character: outlines, small capitals, loopless Thai (Latin look).
UNSUITABLE = re.compile(
    r"outline|initial|shadow|ornament|decorat|small ?cap|caps|\bsc\b|smcp|noto sans thai(?! looped)",
    re.IGNORECASE,
)


# ------------------------------------------------------------------------------------ fonts


@dataclass(frozen=True)
class Face:
    """One face of a font file, with the code points that it covers."""

    file: str
    index: int
    family: str
    style: str
    package: str
    code_points: frozenset[int]


def parse_charset(text: str) -> frozenset[int]:
    """Expand fontconfig's list of hexadecimal ranges, ``"41-5a 61"``."""
    points: set[int] = set()
    for part in text.split():
        first, _, last = part.partition("-")
        points.update(range(int(first, 16), int(last or first, 16) + 1))
    return frozenset(points)


def package_of_file() -> dict[str, str]:
    """Map each installed font file to the listed package it comes from."""
    owner = {}
    for package in PACKAGES:
        listing = subprocess.run(["dpkg", "-L", package], capture_output=True, text=True)
        if listing.returncode != 0:
            raise SystemExit(f"package {package} is not installed; see --list-packages")
        for line in listing.stdout.splitlines():
            if line.lower().endswith((".ttf", ".otf", ".ttc")):
                owner[line] = package
    return owner


def find_faces() -> list[Face]:
    """List the suitable faces of the listed packages, in a fixed order."""
    owner = package_of_file()
    wanted = {ord(c) for script in SCRIPTS for c in script.characters}
    layout = "%{file}\t%{index}\t%{family[0]}\t%{style[0]}\t%{charset}\n"
    lines = subprocess.run(
        ["fc-list", "--format", layout], capture_output=True, text=True, check=True
    ).stdout.splitlines()
    faces = {}
    for line in lines:
        file, index, family, style, charset = line.split("\t")
        number = int(index) & 0xFFFF  # the upper bits name an instance of a variable font
        if file in owner and not UNSUITABLE.search(f"{family} {style}"):
            points = parse_charset(charset) & wanted
            faces[file, number] = Face(file, number, family, style, owner[file], points)
    return [faces[key] for key in sorted(faces)]


def choose_faces(faces: list[Face], script: Script, n_faces: int, seed: int) -> list[Face]:
    """Choose faces that cover most of a script, as many families as possible."""
    characters = {ord(c) for c in script.characters}
    families = defaultdict(list)
    for face in faces:
        if len(characters & face.code_points) >= 0.8 * len(characters):
            families[" ".join(face.family.split()[:2])].append(face)
    rng = np.random.default_rng([seed, *script.name.encode()])
    queues = [[group[i] for i in rng.permutation(len(group))] for group in families.values()]
    chosen: list[Face] = []
    while queues and len(chosen) < n_faces:
        chosen += [queue.pop() for queue in queues]
        queues = [queue for queue in queues if queue]
    return chosen[:n_faces]


def licences(package: str) -> list[str]:
    """Name the licences that a package's copyright file states."""
    path = Path("/usr/share/doc", package, "copyright")
    text = path.read_text(errors="replace") if path.exists() else ""
    names = set(re.findall(r"^License: *(\S.*?) *$", text, re.MULTILINE))
    if not names:
        known = {"OFL": "Open Font License", "GPL": "General Public License", "LPPL": "LPPL"}
        names = {name for name, words in known.items() if words in text}
    return sorted(names) or ["see the package"]


# ------------------------------------------------------------------------------------ shapes


@lru_cache(maxsize=None)
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
    good, vectors = [], []
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
    return CharacterShapes([face for face, ok in zip(good, alike) if ok], stack[alike])


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


# ------------------------------------------------------------------------------------ images


def place_ink(ink: Image.Image, rng: np.random.Generator) -> np.ndarray:
    """Scale, slant, turn a little and place the ink; coverage in 0..1, shape (SIDE, SIDE)."""
    angle = math.radians(rng.uniform(-8, 8))
    slant, stretch = rng.uniform(-0.25, 0.25), rng.uniform(0.85, 1.18)
    cos, sin = math.cos(angle), math.sin(angle)
    matrix = np.array([[cos, -sin], [sin, cos]]) @ [[1, slant], [0, 1]] @ np.diag([stretch, 1])
    extent = np.abs(matrix) @ np.array(ink.size)
    size = rng.uniform(16, 29) * OVERSAMPLING
    matrix *= size / extent.max()
    extent *= size / extent.max()
    canvas = SIDE * OVERSAMPLING
    spare = (canvas - extent) / 2
    centre = canvas / 2 + rng.uniform(-1, 1, 2) * np.maximum(spare, 0)
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
    """Draw ink and paper colours that can be told apart by their lightness."""
    weights = np.array([0.299, 0.587, 0.114])
    while True:
        ink, paper = rng.uniform(0, 1, (2, 3))
        if abs(weights @ (ink - paper)) > 0.28:
            return ink, paper


def add_clutter(paper: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Draw up to three faint strokes on the paper."""
    for _ in range(rng.integers(0, 4)):
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
    paper = add_clutter(texture(paper_colour, rng, rng.uniform(0, 0.12)), rng)
    image = cover * texture(ink_colour, rng, rng.uniform(0, 0.1)) + (1 - cover) * paper
    image = np.clip(image + rng.normal(0, rng.uniform(0, 0.05), image.shape), 0, 1)
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


# ------------------------------------------------------------------------------------ data set


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
    arrays = {f"{name}_{field}": array for name, split in splits.items()
              for field, array in split._asdict().items()}
    np.savez_compressed(
        path, **arrays, mean=pixels.mean(axis=0), std=pixels.std(axis=0), metadata=np.array(metadata)
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
        print(f"{script.split:5} {script.name:10} {len(counts):3} classes,"
              f" {min(counts)} to {max(counts)} faces")
    for rate, character, other, turns in confusion_rates(shapes):
        if rate >= 0.05:
            print(f"{rate:.2f} of {character} look like {other} turned by {90 * turns}")


def parse_arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--output", type=Path, help="the .npz file to write")
    parser.add_argument("--contact-sheet", type=Path, help="a PNG with a row for each class")
    parser.add_argument("--images", type=int, default=50, help="images of each class")
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
