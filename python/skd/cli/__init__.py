"""The command line ``skd``."""

from __future__ import annotations

import os
import sys

__all__ = ["main"]

FAILED, INTERRUPTED = 1, 130


def main() -> None:
    """Run the command line.

    Raises
    ------
    SystemExit
        Always, with the status of the command.
    """
    try:
        try:
            from skd.cli.application import application  # loads typer and rich

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
