"""Checks the tools that a build needs, before anything is made.

``python python/tools/build_tools.py`` checks them; setup.py does the same.
"""

import os
import re
import shlex
import shutil
import subprocess
import sys
import sysconfig

SWIFT = (6, 3)
SWIFT_WORDS = "Swift 6.3 or newer"


def swift_version(path: str) -> tuple[int, ...] | None:
    """Return the version of a Swift compiler, or None if it does not tell."""
    told = subprocess.run([path, "--version"], capture_output=True, text=True, check=False)
    match = re.search(r"Swift version (\d+(?:\.\d+)+)", told.stdout + told.stderr)
    return tuple(map(int, match[1].split("."))) if match else None


def swift_problem() -> str:
    """Return what is wrong with Swift, or an empty text."""
    advice = "See https://www.swift.org/install"
    path = shutil.which("swift")
    if path is None:
        return f"skd needs {SWIFT_WORDS}, and there is no 'swift' on the PATH. {advice}"
    version = swift_version(path)
    if version is None:
        return f"skd needs {SWIFT_WORDS}, and '{path} --version' names no version. {advice}"
    if version < SWIFT:
        found = ".".join(map(str, version))
        return f"skd needs {SWIFT_WORDS}; '{path}' is Swift {found}. {advice}"
    return ""


def compiler_problem() -> str:
    """Return what is wrong with the C++ compiler, or an empty text."""
    command = os.environ.get("CXX") or sysconfig.get_config_var("CXX") or "c++"
    compiler = shlex.split(command)[0]
    if shutil.which(compiler):
        return ""
    return (
        f"skd needs a C++ compiler, and there is no '{compiler}' on the PATH. "
        "On Debian: apt-get install g++. The variable CXX names another."
    )


def check_tools() -> None:
    """Exit with one line for each tool that is missing or too old."""
    problems = [problem for problem in (swift_problem(), compiler_problem()) if problem]
    if problems:
        sys.exit("\n".join(problems))


if __name__ == "__main__":
    check_tools()
