"""Names the language of indented blocks of commands, so that the site colours them."""

import re

COMMANDS = (
    "apt-get", "gcc", "git", "make", "mpirun", "pip", "python", "skd", "srun", "swift",
)  # fmt: skip
FENCED = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
#: Lines that begin with four spaces, after an empty line, of which the first is a command.
BLOCK = re.compile(
    rf"(?<=\n\n)    (?:[A-Z_]+=\S+ )*(?:{'|'.join(COMMANDS)}) .*(?:\n(?:    .*|(?=\n    )))*"
)


def fenced(match: re.Match[str]) -> str:
    """Return an indented block between fences."""
    lines = (line.removeprefix("    ") for line in match[0].splitlines())
    return "```sh\n" + "\n".join(lines) + "\n```"


def with_languages(text: str) -> str:
    """Return a page whose indented blocks of commands are fenced as shell."""
    parts, begin = [], 0
    for fence in FENCED.finditer(text):
        parts += [BLOCK.sub(fenced, text[begin : fence.start()]), fence[0]]
        begin = fence.end()
    return "".join([*parts, BLOCK.sub(fenced, text[begin:])])
