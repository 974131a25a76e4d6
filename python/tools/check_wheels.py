"""Prove the wheels: their contents, and the tests in clean environments without Swift.

Usage::

    python python/tools/check_wheels.py [--dist dist] [--only 3.12] [--require-all]

Each environment gets the wheel that pip chooses for its Python, and the tests of the sdist,
unpacked in a folder that holds nothing of the package itself. An interpreter that was not found is
named at the end; with --require-all that is a failure.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path
from typing import NamedTuple

from interpreters import find_interpreter, install, make_environment
from wheel_contents import CheckError, check_sdist, check_wheel, demand

ROOT = Path(__file__).resolve().parents[2]
TESTED = (
    "python/tests/", "Tests/Fixtures/", "benchmarks/", "docs/", "notebooks/", "recipes/",
    "Sources/CSKD/include/",
)  # fmt: skip
TESTED_FILES = (
    "README.md", "CHANGELOG.md", "CITATION.cff", "pyproject.toml", "setup.py",
    "python/tools/build_tools.py",
)  # fmt: skip
# What the loader of glibc is told not to see, so that it takes the library of a lower level.
HIDDEN = ("", "-AVX512F", "-AVX512F,-AVX2")
# Only what is installed is imported, and it knows its version.
FACTS = """
import importlib.metadata, numpy, sys, skd
assert skd.__version__ == importlib.metadata.version("skd"), skd.__version__
assert skd.__file__.startswith(sys.prefix), skd.__file__
print(f"Python {sys.version.split()[0]}, NumPy {numpy.__version__}")
"""


class Environment(NamedTuple):
    """A Python and a NumPy that the wheels are to work with."""

    python: str
    numpy: str

    def __str__(self) -> str:
        """Name both."""
        return f"Python {self.python}, NumPy {self.numpy}"


# NumPy 1.26 came before Python 3.13 and has no wheel for it.
ENVIRONMENTS = (
    Environment("3.11", "1.26.*"),
    Environment("3.11", "2.*"),
    Environment("3.12", "1.26.*"),
    Environment("3.12", "2.*"),
    Environment("3.13", "2.*"),
)


def without_swift() -> dict[str, str]:
    """Return the variables of this process, less what leads to Swift or to a build of skd."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("SKD_", "PYTHON", "LD_"))}
    folders = [folder for folder in os.get_exec_path() if not Path(folder, "swift").exists()]
    kept["PATH"] = os.pathsep.join(folders)
    return kept


def unpack_tests(sdist: Path, folder: Path) -> Path:
    """Unpack the tests and what they read, and nothing of the package; return where they are."""
    with tarfile.open(sdist) as archive:
        for member in archive.getmembers():
            member.name = member.name.partition("/")[2]
            if member.name in TESTED_FILES or member.name.startswith(TESTED):
                archive.extract(member, folder, filter="data")
    return folder


def prepare(interpreter: Path, environment: Environment, dist: Path, folder: Path) -> Path:
    """Install the wheel, its test extra and a NumPy into a new environment; return its Python."""
    python = make_environment(interpreter, folder)
    install(python, "--no-index", "--no-deps", "--find-links", str(dist), "skd")
    (version,) = {wheel.name.split("-")[1] for wheel in dist.glob("skd-*.whl")}
    install(python, f"numpy=={environment.numpy}", f"skd[test]=={version}")
    return python


def output(command: list[str | Path], tests: Path, variables: dict[str, str]) -> str:
    """Run `command` beside the tests and return what it prints."""
    done = subprocess.run(
        command, cwd=tests, env=variables, check=True, stdout=subprocess.PIPE, text=True
    )
    return done.stdout.strip()


def run_tests(python: Path, tests: Path, hidden: tuple[str, ...]) -> None:
    """Run the tests once for each library that the loader takes when it is not shown `hidden`."""
    variables = without_swift()
    facts = output([python, "-c", FACTS], tests, variables)
    loaded = set()
    for features in hidden:
        variables["GLIBC_TUNABLES"] = f"glibc.cpu.hwcaps={features}"
        ask = "import skd; print(skd.instruction_set())"
        level = output([python, "-c", ask], tests, variables)
        if level in loaded:  # the processor lacks what was hidden
            continue
        loaded.add(level)
        command = [python, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
        run = subprocess.run(
            command, cwd=tests, env=variables, check=False, stdout=subprocess.PIPE, text=True
        )
        demand(run.returncode == 0, f"{run.stdout}\nthe tests failed: {facts}, {level}")
        print(f"{facts}, {level}: {run.stdout.strip().splitlines()[-1]}", flush=True)


def main() -> None:
    """Read the arguments, check the files, then every environment."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--dist", type=Path, default=ROOT / "dist")
    parser.add_argument("--only", metavar="PYTHON", help="check one version, such as 3.12")
    parser.add_argument("--require-all", action="store_true", help="fail if one is not found")
    arguments = parser.parse_args()
    try:
        missing = check(arguments.dist.resolve(), arguments.only)
    except CheckError as error:
        sys.exit(str(error))
    for environment in missing:
        print(f"not checked, for no interpreter was found: {environment}")
    if missing and arguments.require_all:
        sys.exit(1)


def check(dist: Path, only: str | None) -> list[Environment]:
    """Check everything, or what concerns one Python; return what there is no interpreter for."""
    (sdist,) = dist.glob("skd-*.tar.gz")
    print(f"{sdist.name}: {check_sdist(sdist, ROOT)} files")
    wheels = sorted(dist.glob("skd-*.whl"))
    for wheel in wheels:
        print(f"{wheel.name}: {check_wheel(wheel) / 1e6:.1f} MB uncompressed")

    missing = []
    with tempfile.TemporaryDirectory(prefix="skd-wheels-") as scratch:
        tests = unpack_tests(sdist, Path(scratch, "tests"))
        for number, environment in enumerate(ENVIRONMENTS):
            if only not in (None, environment.python):
                continue
            interpreter = find_interpreter(environment.python)
            if interpreter is None:
                missing.append(environment)
                continue
            python = prepare(interpreter, environment, dist, Path(scratch, f"venv-{number}"))
            # The lower levels are the same files in every environment: one is enough.
            run_tests(python, tests, HIDDEN if environment == ENVIRONMENTS[0] else HIDDEN[:1])
    return missing


if __name__ == "__main__":
    main()
