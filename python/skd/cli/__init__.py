"""The command line ``skd``; it needs the extra ``cli``."""

from __future__ import annotations

import importlib.util
import sys

__all__ = ["main"]

NEEDED = ("typer", "rich")


def main() -> None:
    """Run the command line, or say how to install what it needs.

    Raises
    ------
    SystemExit
        Always, with the status of the command.
    """
    missing = [name for name in NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        names = " and ".join(missing)
        sys.exit(f"The command line of skd needs {names}: pip install 'skd[cli]'")
    from skd.cli._application import application

    application(prog_name="skd")
