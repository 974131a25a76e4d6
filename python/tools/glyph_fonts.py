"""Which characters the data set "glyphs" holds, and which type faces draw them."""

from __future__ import annotations

import re
import subprocess
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

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
""".split()  # noqa: SIM905


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
    Script(
        "hiragana",
        "train",
        "あうえおかきけさすせそたちてとなにぬねのはひふほまみむめもやゆよらるれわをん",
    ),
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
    r"outline|initial|shadow|ornament|decorat|caps|\bsc\b|smcp|noto sans thai(?! looped)",
    re.IGNORECASE,
)


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
