"""``skd info``: the facts that a bug report should contain."""

from __future__ import annotations

import platform
from importlib import metadata

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
    "tensorboardX",
    "pillow",
    "matplotlib",
    "mpi4py",
)


def info() -> None:
    """Print versions, instruction set, threads and memory."""
    rows = [
        ("skd", skd.__version__),
        ("instruction set", skd.instruction_set()),
        ("threads", f"{skd.get_num_threads()} of {_native.available_processors()} processors"),
        ("memory", f"{skd.available_memory() / 1e6:.0f} MB available"),
        ("system", f"{platform.system()} {platform.release()}, {platform.machine()}"),
        ("python", platform.python_version()),
        *((name, _version(name)) for name in LIBRARIES),
    ]
    typer.echo("\n".join(aligned(rows)))


def _version(library: str) -> str:
    try:
        return metadata.version(library)
    except metadata.PackageNotFoundError:
        return "not installed"
