"""Gathers the pages of the site.

All Markdown files and notebooks of the repository become pages at the places that they have there,
but for two: ``docs/index.md`` is the site's first page, and the README the next. A link to a file
that is no page, such as a script, becomes plain text: the site is read without the repository.

A line ``<!-- picture: NOTEBOOK WORDS "Caption" -->`` shows the picture that a notebook has below
the first cell whose code contains WORDS. No picture is therefore kept twice.
"""

import os
import re
import shutil
from pathlib import Path, PurePosixPath

from docs_site.notebooks import Notebook
from docs_site.shell_blocks import with_languages

PAGES = ("*.md", "docs/**/*.md", "benchmarks/**/*.md", "Sources/*/*.md", "python/*.md")
PICTURES = ("docs/**/*.svg", "benchmarks/**/*.svg")
NOTEBOOKS = "notebooks/*.ipynb"
#: Files of the site itself, beside this one.
OWN = ("style.css", "iframe-worker.js")
MOVED = {PurePosixPath("docs/index.md"): "index.md", PurePosixPath("README.md"): "start.md"}
LINK = re.compile(r"(!?)\[([^\]]*)\]\(([^)#\s]+)(#[^)]*)?\)")
PICTURE = re.compile(r'<!-- picture: (\S+) ([^"]+) "([^"]+)" -->')


def site_place(source: PurePosixPath) -> PurePosixPath:
    """Return where the site holds a file of the repository."""
    place = PurePosixPath(MOVED.get(source, source))
    return place.with_suffix(".md") if place.suffix == ".ipynb" else place


def relative(target: PurePosixPath, page: PurePosixPath) -> str:
    """Return the link from a page to a file of the site."""
    return PurePosixPath(os.path.relpath(target, page.parent)).as_posix()


class Site:
    """The pages of a repository, with the notebooks that are among them."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.pages = self._found(*PAGES)
        self.pictures = self._found(*PICTURES)
        self.notebooks = {
            source: Notebook.read(root / source, site_place(source))
            for source in self._found(NOTEBOOKS)
        }

    def _found(self, *patterns: str) -> list[PurePosixPath]:
        """Return the files of these patterns, from the root of the repository."""
        found = {path for pattern in patterns for path in self.root.glob(pattern)}
        return sorted(PurePosixPath(path.relative_to(self.root)) for path in found)

    def write(self, folder: Path) -> None:
        """Write all pages and pictures below a folder."""
        for source in self.pages:
            text = (self.root / source).read_text(encoding="utf-8")
            self._write_page(folder, source, self._with_pictures(with_languages(text), source))
        for source in self.pictures:
            target = folder / site_place(source)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(self.root / source, target)
        for source, notebook in self.notebooks.items():
            self._write_page(folder, source, notebook.markdown())
            notebook.write_pictures(folder)
        for name in OWN:
            shutil.copy2(Path(__file__).with_name(name), folder / name)

    def _write_page(self, folder: Path, source: PurePosixPath, text: str) -> None:
        target = folder / site_place(source)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(self._with_links(text, source), encoding="utf-8")

    def _with_pictures(self, text: str, source: PurePosixPath) -> str:
        """Put pictures of notebooks where a page asks for them."""

        def shown(match: re.Match[str]) -> str:
            notebook = self.notebooks[PurePosixPath(match[1])]
            target = relative(notebook.picture(match[2]), source)
            return f"![{match[3]}]({target})\n\n*{match[3]}*{{ .caption }}"

        return PICTURE.sub(shown, text)

    def _with_links(self, text: str, source: PurePosixPath) -> str:
        """Lead the links of a page to the places of the site."""
        held = {*self.pages, *self.pictures, *self.notebooks}

        def led(match: re.Match[str]) -> str:
            picture, words, target, anchor = match.groups()
            if re.match(r"[a-z]+:", target):
                return match[0]
            place = PurePosixPath(os.path.normpath(source.parent / target))
            if place in held:
                link = relative(site_place(place), site_place(source))
                return f"{picture}[{words}]({link}{anchor or ''})"
            # Zensical reports a link to what does not exist.
            return words if not picture and (self.root / place).exists() else match[0]

        return LINK.sub(led, text)


def gather(root: Path, folder: Path) -> None:
    """Write the pages of the repository `root` below `folder`, which is emptied first."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    Site(root).write(folder)
