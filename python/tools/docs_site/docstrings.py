"""Turns into Markdown what numpydoc writes in another way, an extension of Griffe.

Griffe takes the first of ``{"a", "b"}`` as the default of a parameter, whatever the docstring and
the signature say. Written as ``"a" | "b"``, the choices stay, and the default is the stated one. A
citation ``[1]_`` of reStructuredText becomes ``[1]``.
"""

import re
from typing import Any

import griffe

CHOICES = re.compile(r"^( *\w+(?:, \w+)* : )\{([^}]*)\}", re.MULTILINE)
CITATION = re.compile(r"\[(\d)\]_|^( *)\.\. \[(\d)\]", re.MULTILINE)


def markdown(docstring: str) -> str:
    """Return the docstring with choices and citations as Markdown."""
    choices = CHOICES.sub(lambda match: match[1] + match[2].replace(", ", " | "), docstring)
    return CITATION.sub(lambda match: f"{match[2] or ''}[{match[1] or match[3]}]", choices)


class Docstrings(griffe.Extension):
    """Rewrites all docstrings."""

    def on_instance(self, *, obj: griffe.Object, **_: Any) -> None:
        """Rewrite the docstring of a module, class, function or attribute."""
        if obj.docstring is not None:
            obj.docstring.value = markdown(obj.docstring.value)
