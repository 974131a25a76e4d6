"""The command line ``skd``; it needs the extra ``cli``."""

from __future__ import annotations

import importlib.util
import os
import sys

__all__ = ["main"]

NEEDED = ("typer", "rich")
FAILED, INTERRUPTED = 1, 130


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
    try:
        try:
            from skd.cli.application import application  # needs typer and rich

            application(prog_name="skd")
        finally:
            if sys.stdout is not None:  # None if the standard output is closed
                sys.stdout.flush()
    except KeyboardInterrupt:  # before or after the command itself
        sys.exit(INTERRUPTED)
    except OSError as error:  # of the standard output: commands report errors of files
        from skd.cli._exit_status import in_one_line

        # Otherwise Python would flush again when it ends, and fail again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        print(f"skd: {in_one_line(error)}", file=sys.stderr)
        sys.exit(FAILED)
