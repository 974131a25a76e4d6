"""Prints the help of every command at 80 columns, for ``help.txt``; this rewrites that file:

python python/tests/support/help_texts.py > python/tests/cli/help.txt
"""

import os

from typer.main import get_command
from typer.testing import CliRunner

from skd.cli.application import application

COLUMNS = 80


def paths(command, path=()):
    """Yield the words of a command and of all below it."""
    yield path
    for name, inner in getattr(command, "commands", {}).items():
        yield from paths(inner, (*path, name))


def help_texts():
    """Return the help of each command by its words."""
    os.environ["COLUMNS"] = str(COLUMNS)
    invoke = CliRunner().invoke
    return {
        " ".join(("skd", *path)): invoke(application, [*path, "-h"], prog_name="skd").stdout
        for path in paths(get_command(application))
    }


if __name__ == "__main__":
    print("\n".join(help_texts().values()), end="")
