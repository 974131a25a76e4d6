"""A version has one number and one date, and a build names the tools that it lacks."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
from importlib import metadata
from pathlib import Path

import pytest

import skd

ROOT = Path(__file__).parents[2]


def newest_version():
    """Return the number and the date of the newest version in the changelog."""
    headings = re.findall(r"^## \[([\d.]+)\] - (\S+)", (ROOT / "CHANGELOG.md").read_text(), re.M)
    return headings[0]


def test_the_citation_has_the_version_and_the_date_of_the_changelog():
    citation = dict(
        re.findall(r'^([\w-]+): "?([^"\n]+)', (ROOT / "CITATION.cff").read_text(), re.M)
    )
    assert (citation["version"], citation["date-released"]) == newest_version()


def test_the_package_has_the_version_of_the_changelog():
    assert skd.__version__ == newest_version()[0] == metadata.version("skd")


def test_the_package_names_its_authors_and_the_paper():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert f'- name: "{project["authors"][0]["name"]}"' in (ROOT / "CITATION.cff").read_text()
    assert f'url: "{project["urls"]["Paper"]}"' in (ROOT / "CITATION.cff").read_text()


@pytest.fixture
def project(tmp_path):
    """Return a small project with this build, and tools that only exist."""
    (tmp_path / "python" / "tools").mkdir(parents=True)
    (tmp_path / "python" / "skd").mkdir()
    (tmp_path / "bin").mkdir()
    shutil.copy(ROOT / "setup.py", tmp_path)
    shutil.copy(ROOT / "python" / "tools" / "build_tools.py", tmp_path / "python" / "tools")
    (tmp_path / "python" / "skd" / "__init__.py").write_text("")
    nanobind = "def source_dir(): return 'nanobind/src'\ninclude_dir = source_dir\n"
    (tmp_path / "nanobind.py").write_text(nanobind)
    (tmp_path / "setup.cfg").write_text(
        "[metadata]\nname = skd\n[options]\npackages = skd\npackage_dir =\n    = python\n"
    )
    return tmp_path


def build(project, **tools):
    """Return what a build says when the PATH holds these programs alone."""
    for name, answer in tools.items():
        program = project / "bin" / name
        program.write_text(f"#!/bin/sh\necho '{answer}'\n")
        program.chmod(0o755)
    environment = {
        **os.environ, "CXX": "cxx", "PATH": str(project / "bin"), "PYTHONPATH": str(project),
    }  # fmt: skip
    command = [sys.executable, "setup.py", "build"]
    ended = subprocess.run(
        command, cwd=project, env=environment, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 1
    assert not (project / "build").exists()
    return ended.stderr


def test_a_build_names_all_tools_that_are_missing_before_it_copies(project):
    said = build(project)
    assert "skd needs Swift 6.3 or newer, and there is no 'swift' on the PATH." in said
    assert "skd needs a C++ compiler, and there is no 'cxx' on the PATH." in said


def test_a_build_names_a_swift_that_is_too_old(project):
    said = build(project, swift="Swift version 5.10.1 (swift-5.10.1-RELEASE)", cxx="")
    path = project / "bin" / "swift"
    assert f"skd needs Swift 6.3 or newer; '{path}' is Swift 5.10.1." in said
    assert "C++" not in said


def test_a_build_names_a_swift_of_no_version(project):
    assert "--version' names no version." in build(project, swift="a bird", cxx="")
