r"""Sets formulas as MathML, an extension of Python-Markdown.

``$x$`` is a formula in a line, and ``$$x$$`` one of its own. Browsers draw MathML themselves: the
pages need no script and no fonts from elsewhere.
"""

import re
from xml.etree.ElementTree import Element

from latex2mathml.converter import convert
from markdown import Markdown
from markdown.extensions import Extension
from markdown.inlinepatterns import InlineProcessor

BLOCK = r"\$\$(.+?)\$\$"
INLINE = r"(?<![\\$])\$(?!\s)([^$\n]+?)(?<!\s)\$(?!\d)"
#: Before the escapes of Markdown (180), after code in a line (190).
PRIORITY = 185


class Formula(InlineProcessor):
    """Replaces the LaTeX between dollar signs."""

    def __init__(self, pattern: str, markdown: Markdown, display: str) -> None:
        super().__init__(pattern, markdown)
        self.compiled_re = re.compile(pattern, re.DOTALL)
        self.display = display

    def handleMatch(  # noqa: N802 - the name is Python-Markdown's
        self, m: re.Match[str], data: str
    ) -> tuple[str | Element, int, int]:
        """Return the formula and its place."""
        html = convert(" ".join(m[1].split()), display=self.display)
        return self.md.htmlStash.store(html), m.start(0), m.end(0)


class FormulaExtension(Extension):
    """Registers both kinds of formulas."""

    def extendMarkdown(self, md: Markdown) -> None:  # noqa: N802 - as above
        """Add the patterns to a parser."""
        patterns = md.inlinePatterns
        patterns.register(Formula(BLOCK, md, "block"), "formula-block", PRIORITY + 1)
        patterns.register(Formula(INLINE, md, "inline"), "formula-inline", PRIORITY)


def makeExtension(**options: object) -> FormulaExtension:  # noqa: N802 - as above
    """Return the extension, as Python-Markdown asks for it."""
    return FormulaExtension(**options)
