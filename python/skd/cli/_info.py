"""``skd info``: what an error report should say."""

from __future__ import annotations

import os
import platform
from importlib import metadata

import typer

import skd
from skd.cli._lines import aligned
from skd.recipes._estimate import available_bytes

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
)


def info() -> None:
    """Print versions, instruction set, threads and memory."""
    memory = available_bytes()
    rows = [
        ("skd", skd.__version__),
        ("instruction set", skd.instruction_set()),
        ("threads", f"{skd.get_num_threads()} of {os.cpu_count()} processors"),
        ("memory", "-" if memory is None else f"{memory / 1e6:.0f} MB available"),
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
