"""Finds the interpreters of Python that wheels are made and checked with, and makes environments.

An interpreter is looked for by its name (``python3.12``) on the PATH, then where pyenv and the
images of manylinux keep theirs. One counts if it runs, is of that version and has `venv`.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

PROBE = "import sys, venv, ensurepip; print('%d.%d' % sys.version_info[:2])"


def candidates(version: str) -> Iterator[Path]:
    """Name all files that could be the interpreter of `version`, such as "3.12"."""
    name = f"python{version}"
    for folder in os.get_exec_path():
        yield Path(folder, name)
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    yield from sorted(pyenv.glob(f"versions/{version}*/bin/{name}"), reverse=True)
    tag = "cp" + version.replace(".", "")
    yield Path("/opt/python", f"{tag}-{tag}", "bin", name)


def find_interpreter(version: str) -> Path | None:
    """Return the first interpreter of `version` that works, or None."""
    for path in candidates(version):
        if path.is_file():
            # A shim of pyenv exists for a version that it does not let run.
            done = subprocess.run([path, "-c", PROBE], capture_output=True, text=True, check=False)
            if done.stdout.strip() == version:
                return path
    return None


def make_environment(interpreter: Path, folder: Path, *requirements: str) -> Path:
    """Make a virtual environment, unless there is one, and return its interpreter."""
    python = folder / "bin" / "python"
    if not python.exists():
        subprocess.run([interpreter, "-m", "venv", "--clear", folder], check=True)
    if requirements:
        install(python, *requirements)
    return python


def install(python: Path, *arguments: str) -> None:
    """Install into the environment of `python`; wheels alone, so that nothing is compiled."""
    command = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*command, "--only-binary", ":all:", *arguments], check=True)
