"""The loader takes the best library that is installed and that the processor can run."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import skd

LIBRARIES = Path(skd.__file__).parent / "lib"
LEVELS = {"x86-64-v3": "AVX2", "x86-64-v4": "AVX-512"}
ASCENDING = ["SSE2", "AVX2", "AVX-512"]


def run(script, *arguments, **variables):
    environment = {name: v for name, v in os.environ.items() if name != "GLIBC_TUNABLES"}
    command = [sys.executable, "-c", script, *arguments]
    done = subprocess.run(
        command, capture_output=True, text=True, check=True, env={**environment, **variables}
    )
    return done.stdout.strip()


def loaded(**variables):
    return run("import skd; print(skd.instruction_set())", **variables)


def installed_levels():
    return sorted(path.parent.name for path in LIBRARIES.glob("glibc-hwcaps/*/libSKD.so"))


def test_each_library_is_of_the_level_that_its_folder_says():
    script = (
        "import ctypes, sys\n"
        "library = ctypes.CDLL(sys.argv[1])\n"
        "library.skd_instruction_set.restype = ctypes.c_char_p\n"
        "print(library.skd_instruction_set().decode())\n"
    )
    for level in installed_levels():
        library = LIBRARIES / "glibc-hwcaps" / level / "libSKD.so"
        assert run(script, str(library)) == LEVELS[level]
    name = run(script, str(LIBRARIES / "libSKD.so"))
    assert name == "SSE2" if installed_levels() else name in {*ASCENDING, "NEON", "other"}


@pytest.mark.parametrize(("hidden", "most"), [("-AVX512F", "AVX2"), ("-AVX512F,-AVX2", "SSE2")])
def test_a_lower_level_is_loaded_where_the_loader_does_not_see_the_higher(hidden, most):
    """With a single library there is nothing to choose, and it is loaded whatever is hidden."""
    best = loaded()
    expected = min(best, most, key=ASCENDING.index) if installed_levels() else best
    assert loaded(GLIBC_TUNABLES=f"glibc.cpu.hwcaps={hidden}") == expected
