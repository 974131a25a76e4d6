"""``skd info``: the facts that a bug report should contain."""

from __future__ import annotations

import platform
from importlib import metadata, resources
from pathlib import Path

import typer

import skd
from skd import _native
from skd.cli._formatting import aligned

LIBRARIES = (
    "numpy",
    "safetensors",
    "tqdm",
    "typer",
    "rich",
    "tomli-w",
    "pillow",
    "tensorboardX",
    "matplotlib",
    "onnx",
    "mpi4py",
)
UNKNOWN = "unknown"
LIBRARY = "libSKD.so"
#: Names of a processor in /proc/cpuinfo, on x86-64 and on some arm64 systems.
PROCESSOR_NAMES = ("model name", "Processor", "Hardware")


def info() -> None:
    """Print what an error report should contain.

    These are versions, processor, library, threads, memory and weights.
    """
    rows = [
        ("skd", skd.__version__),
        ("commit", commit()),
        ("library", library()),
        ("instruction set", skd.instruction_set()),
        ("processor", processor()),
        ("threads", f"{skd.get_num_threads()} of {_native.available_processors()} processors"),
        ("memory", f"{skd.available_memory() / 1e6:.0f} MB available"),
        ("system", f"{platform.system()} {platform.release()}, {platform.machine()}"),
        ("weights", ", ".join(skd.list_pretrained()) or "none"),
        ("python", platform.python_version()),
        *((name, _version(name)) for name in LIBRARIES),
    ]
    typer.echo("\n".join(aligned(rows)))


def commit() -> str:
    """Return the commit that the package was built from, which setup.py writes down."""
    file = resources.files("skd").joinpath("commit.txt")
    return file.read_text(encoding="utf-8").strip() if file.is_file() else UNKNOWN


def library() -> str:
    """Return the file of the library that the loader chose for this processor."""
    mapped = _text("/proc/self/maps").splitlines()
    return next((line.split(maxsplit=5)[5] for line in mapped if line.endswith(LIBRARY)), UNKNOWN)


def processor() -> str:
    """Return the name of the processor."""
    rows = (line.partition(":") for line in _text("/proc/cpuinfo").splitlines())
    named = {name.strip(): value.strip() for name, _, value in rows}
    return next((named[name] for name in PROCESSOR_NAMES if named.get(name)), UNKNOWN)


def _text(path: str) -> str:
    """Return the content of a file of the system; nothing if it cannot be read."""
    try:
        return Path(path).read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def _version(library: str) -> str:
    try:
        return metadata.version(library)
    except metadata.PackageNotFoundError:
        return "not installed"
