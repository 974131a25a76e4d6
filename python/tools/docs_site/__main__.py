"""Build the site: ``python -m docs_site``, in the folder of zensical.toml."""

import subprocess
import sys
import tomllib
from pathlib import Path

from docs_site.pages import gather

ROOT = Path(__file__).parents[3]


def main() -> int:
    """Gather the pages, then let Zensical turn them into a site."""
    project = tomllib.loads((ROOT / "zensical.toml").read_text())["project"]
    gather(ROOT, ROOT / project["docs_dir"])
    # Zensical's cache does not notice that a docstring changed.
    command = [sys.executable, "-m", "zensical", "build", "--clean", "--strict"]
    return subprocess.run(command, cwd=ROOT, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
