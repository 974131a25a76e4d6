"""Builds libSKD.so with SwiftPM and the extension module that binds it.

Everything is written below ``build/``, so that a second ``pip install .`` compiles only what
changed. The instruction set is that of this machine, or what the environment variable SKD_MARCH
names (Package.swift reads it). SKD_MARCH=all builds one library for each level of x86-64, for a
wheel that serves them all; the dynamic loader picks the best (see docs/how-to/instruction-sets.md
and docs/how-to/packaging.md).
"""

import os
import platform
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import nanobind
from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext
from setuptools.command.build_py import build_py

sys.path.insert(0, str(Path(__file__).resolve().parent / "python" / "tools"))

from build_tools import check_tools

ROOT = Path(__file__).resolve().parent
SWIFT_BUILD = Path("build", "swift")
HEADERS = Path("Sources", "CSKD", "include")
LINK = Path("Sources", "SKDABI", "Link")
BINDING = Path("python", "src")
RECIPES = Path("recipes")
# Levels of x86-64, and the folder beside the library where the loader of glibc looks for each.
LEVELS = {
    "x86-64": Path(),
    "x86-64-v3": Path("glibc-hwcaps", "x86-64-v3"),
    "x86-64-v4": Path("glibc-hwcaps", "x86-64-v4"),
}
# From 3.12 on nanobind can keep to the stable ABI: one wheel serves that Python and later ones.
STABLE_ABI = sys.version_info >= (3, 12) and not sysconfig.get_config_var("Py_GIL_DISABLED")
COMPILE_FLAGS = ["-std=c++17", "-fvisibility=hidden", "-DNDEBUG"]
if STABLE_ABI:
    COMPILE_FLAGS += ["-DPy_LIMITED_API=0x030C0000"]


def libraries() -> dict[str, Path]:
    """Return what to build for ("" is this machine), and the folder of each library."""
    march = os.environ.get("SKD_MARCH", "")
    if march != "all":
        return {march: Path()}
    return LEVELS if platform.machine() == "x86_64" else {"": Path()}


def commit() -> str:
    """Return the commit that is built, marked if files were changed since, or "unknown"."""
    if not Path(ROOT, ".git").exists():  # as in an sdist, which may lie in another repository
        return "unknown"
    command = ["git", "describe", "--always", "--abbrev=40", "--exclude=*", "--dirty=, changed"]
    try:
        done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return done.stdout.strip()


class BuildPython(build_py):
    """Copies the package afresh, so that a module that was deleted is not installed again.

    The recipes, a folder at the top of the repository, become data of the package skd.recipes.
    """

    def run(self) -> None:
        """Check the tools of the whole build, remove what an earlier build left, then copy."""
        check_tools()
        for pattern in ("*.py", "*.toml"):
            for old in Path(self.build_lib, "skd").rglob(pattern):
                old.unlink()
        super().run()
        for source, target in self.recipes().items():
            self.copy_file(str(source), str(target))
        self.commit_file().write_text(commit() + "\n")

    def commit_file(self) -> Path:
        """Return the file that names the commit, for `skd info`."""
        return Path(self.build_lib, "skd", "commit.txt")

    def recipes(self) -> dict[Path, Path]:
        """Return the file that each recipe becomes."""
        folder = Path(self.build_lib, "skd", "recipes")
        return {source: folder / source.name for source in sorted(RECIPES.glob("*.toml"))}

    def get_outputs(self, include_bytecode: bool = True) -> list[str]:
        """Return all files that are made."""
        made = [str(target) for target in (*self.recipes().values(), self.commit_file())]
        return [*super().get_outputs(include_bytecode), *made]

    def get_source_files(self) -> list[str]:
        """Return all files that are copied, for a source distribution."""
        return [*super().get_source_files(), *map(str, self.recipes())]


class BuildSKD(build_ext):
    """Builds the Swift library, then nanobind, then the module that links both."""

    def run(self) -> None:
        """Check the tools, then build."""
        check_tools()
        super().run()

    def build_extension(self, extension: Extension) -> None:
        """Build all three and put the library beside the module."""
        built = {folder: self.build_swift_library(march) for march, folder in libraries().items()}
        extension.library_dirs = [str(built[Path()].parent)]
        extension.depends.extend(map(str, built.values()))
        extension.extra_objects = [self.build_nanobind()]
        super().build_extension(extension)
        target = Path(self.get_ext_fullpath(extension.name)).parent / "lib"
        shutil.rmtree(target, ignore_errors=True)  # levels that an earlier build left
        for folder, library in built.items():
            (target / folder).mkdir(parents=True, exist_ok=True)
            shutil.copy2(library, target / folder)

    def build_swift_library(self, march: str) -> Path:
        """Compile libSKD.so for `march`, with the Swift runtime linked into it."""
        scratch = SWIFT_BUILD.with_name(f"swift-{march}") if march else SWIFT_BUILD
        build = ["swift", "build", "-c", "release", "--product", "SKD"]
        build += ["--scratch-path", str(scratch), "-Xswiftc", "-static-stdlib"]
        (hypotf,) = self.compiler.compile([str(LINK / "hypotf.c")], output_dir="build")
        for option in (f"--version-script={LINK / 'exports.map'}", hypotf):
            build += ["-Xlinker", option]
        environment = {**os.environ, "SKD_MARCH": march}
        status = subprocess.run(build, cwd=ROOT, env=environment, check=False).returncode
        if status != 0:
            sys.exit(f"'{' '.join(build)}' failed with status {status}; see its messages above.")
        return scratch / "release" / "libSKD.so"

    def build_nanobind(self) -> str:
        """Compile nanobind's own source, once for each version of it and of Python."""
        tag = f"{nanobind.__version__}-{sysconfig.get_config_var('SOABI')}"
        tag += "-abi3" if STABLE_ABI else ""
        output = Path("build", f"nanobind-{tag}")
        objects = list(output.rglob("*.o"))
        if not objects:
            objects = self.compiler.compile(
                [str(Path(nanobind.source_dir(), "nb_combined.cpp"))],
                output_dir=str(output),
                include_dirs=[*include_directories(), sysconfig.get_path("include")],
                extra_postargs=[*COMPILE_FLAGS, "-fno-strict-aliasing"],
            )
        return str(objects[0])


def include_directories() -> list[str]:
    """Where the headers of the binding are."""
    robin_map = Path(nanobind.source_dir()).parent / "ext" / "robin_map" / "include"
    return [str(HEADERS), nanobind.include_dir(), str(robin_map)]


if platform.system() != "Linux":
    sys.exit(f"skd builds on Linux; this is {platform.system()}.")

setup(
    ext_modules=[
        Extension(
            "skd._native",
            sources=sorted(map(str, BINDING.glob("*.cpp"))),
            depends=[*map(str, BINDING.glob("*.h")), str(HEADERS / "skd.h")],
            include_dirs=include_directories(),
            libraries=["SKD"],
            extra_compile_args=COMPILE_FLAGS,
            extra_link_args=["-Wl,-rpath,$ORIGIN/lib", "-Wl,-s"],
            language="c++",
            py_limited_api=STABLE_ABI,
        )
    ],
    options={"bdist_wheel": {"py_limited_api": "cp312"}} if STABLE_ABI else {},
    cmdclass={"build_py": BuildPython, "build_ext": BuildSKD},
)
