"""Gathers the pages of the documentation; a hook of MkDocs (see mkdocs.yml).

All Markdown files of the repository become pages at the places that they have there. A link to
what is no page, such as a script, becomes plain text: the site is read without the repository.
"""

import re
import shutil
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
PLACES = ("*.md", "docs/**/*.md", "benchmarks/**/*.md", "Sources/*/*.md", "python/*.md")
PICTURES = ("docs/**/*.png", "docs/**/*.svg", "benchmarks/**/*.svg", "notebooks/*.ipynb")
LINK = re.compile(r"(?<!!)\[([^\]]*)\]\(([^)#\s]+)(#[^)]*)?\)")


def on_config(config: Any) -> Any:
    """Copy the pages to where MkDocs reads them."""
    pages = Path(config.docs_dir)
    shutil.rmtree(pages, ignore_errors=True)
    for pattern in (*PLACES, *PICTURES):
        for source in sorted(ROOT.glob(pattern)):
            target = pages / source.relative_to(ROOT)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target)
    return config


def on_page_markdown(markdown: str, page: Any, config: Any, files: Any) -> str:
    """Turn links to what the site does not hold into their text."""
    here = Path(page.file.src_uri).parent

    def held(match: re.Match[str]) -> str:
        target = match[2]
        if re.match(r"[a-z]+:", target):
            return match[0]
        place = (ROOT / here / target).resolve()
        if not place.exists():
            return match[0]  # which MkDocs reports
        is_page = (Path(config.docs_dir) / place.relative_to(ROOT)).is_file()
        return match[0] if is_page else match[1]

    return LINK.sub(held, markdown)
