"""What an sdist and a wheel must hold."""

from __future__ import annotations

import subprocess
import tarfile
import zipfile
from pathlib import Path

MOST_BYTES = 60_000_000
LIBRARIES = (
    "skd/lib/libSKD.so",
    "skd/lib/glibc-hwcaps/x86-64-v3/libSKD.so",
    "skd/lib/glibc-hwcaps/x86-64-v4/libSKD.so",
)
FILES = (
    *LIBRARIES,
    "skd/__init__.py",
    "skd/commit.txt",
    "skd/py.typed",
    "skd/_native.pyi",
    "skd/datasets/glyphs.npz",
    "skd/models/pretrained/photos-84.safetensors",
)
LICENCES = ("LICENSE", "licenses/nanobind.txt", "licenses/robin-map.txt")
# What git tracks and an sdist need not hold.
NOT_IN_SDIST = (".ci/",)


class CheckError(Exception):
    """A file is not what it should be."""


def demand(condition: bool, message: str) -> None:
    """Raise CheckError unless `condition` holds."""
    if not condition:
        raise CheckError(message)


def check_wheel(wheel: Path) -> int:
    """Check the tag, the files and the size of `wheel`; return its size uncompressed, in bytes."""
    demand("-manylinux_" in wheel.name, f"{wheel.name} has not been audited as manylinux")
    with zipfile.ZipFile(wheel) as archive:
        sizes = {member.filename: member.file_size for member in archive.infolist()}
    folder = "-".join(wheel.name.split("-")[:2]) + ".dist-info/licenses/"
    for name in (*FILES, *(folder + licence for licence in LICENCES)):
        demand(name in sizes, f"{wheel.name} lacks {name}")
    # auditwheel brings along what a library needs that not every Linux has.
    brought = [name for name in sizes if name.startswith("skd.libs/")]
    demand(not brought, f"{wheel.name} needs libraries of others: {brought}")
    total = sum(sizes.values())
    demand(total < MOST_BYTES, f"{wheel.name} has {total} bytes, not less than {MOST_BYTES}")
    return total


def check_sdist(sdist: Path, repository: Path) -> int:
    """Check that `sdist` holds what git tracks and no other source; return the number of files.

    Without git, as in a repository that was unpacked from an sdist, it is only counted.
    """
    with tarfile.open(sdist) as archive:
        names = {m.name.partition("/")[2] for m in archive.getmembers() if m.isfile()}
    if (repository / ".git").exists():
        listed = subprocess.run(
            ["git", "ls-files"], cwd=repository, capture_output=True, text=True, check=True
        ).stdout.splitlines()
        tracked = {name for name in listed if not name.startswith(NOT_IN_SDIST)}
        demand(not tracked - names, f"{sdist.name} lacks {sorted(tracked - names)}")
        extra = {name for name in names - tracked if ".egg-info/" not in name}
        extra -= {"PKG-INFO", "setup.cfg"}
        demand(not extra, f"{sdist.name} holds {sorted(extra)}, which git does not track")
    return len(names)
