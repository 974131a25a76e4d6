"""Importing loads little and has no effect; the installed package is complete."""

import pickle
import re
import subprocess
import sys
from importlib import metadata, resources
from pathlib import Path

import pytest

import skd


def run(*arguments):
    command = [sys.executable, *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True)


def loaded_by(statements):
    """Return the modules that the statements load, NumPy's aside."""
    script = (
        f"import sys, numpy\nold = set(sys.modules)\n{statements}\nprint(*set(sys.modules) - old)"
    )
    return set(run("-c", script).stdout.split())


def test_import_loads_the_threads_and_the_library_alone():
    ours = {name for name in loaded_by("import skd") if name.split(".")[0] == "skd"}
    assert ours == {"skd", "skd._native", "skd._threads", "skd._version"}


def test_a_network_and_data_load_what_they_need():
    loaded = loaded_by(
        "import skd\nskd.create_model('convnet4', num_classes=5, image_size=32)\n"
        "skd.datasets.load('glyphs')"
    )
    folders = {name for name in loaded if name.startswith("skd.") and name.count(".") == 1}
    assert not folders & {
        *("skd.callbacks", "skd.cli", "skd.distributed", "skd.evaluation"),
        *("skd.few_shot", "skd.interchange", "skd.plots", "skd.profiling", "skd.recipes"),
        "skd.training",
    }
    assert not loaded & {"concurrent.futures", "safetensors", "tqdm"}


def test_every_name_loads_on_its_first_use():
    script = (
        "import skd\n"
        "names = [name for name in skd.__all__ if name != '__version__']\n"
        "late = [name for name in names if name not in vars(skd)]\n"
        "assert late == names, set(names) - set(late)\n"
        "print(*[name for name in names if getattr(skd, name) is None])\n"
        "from skd import *\n"
        "print(Gen0 is skd.Gen0, losses is skd.losses)\n"
        "print(skd.choices.__name__, skd.training.__name__)\n"
    )
    assert run("-c", script).stdout.splitlines() == [
        "", "True True", "skd.choices skd.training"
    ]  # fmt: skip


def test_names_that_load_late_are_pickled():
    for name in ("Losses", "LinearSVC", "SGD", "create_model", "SKDError"):
        assert pickle.loads(pickle.dumps(getattr(skd, name))) is getattr(skd, name)


def test_dir_shows_the_public_names_alone():
    assert dir(skd) == sorted(skd.__all__)
    with pytest.raises(AttributeError, match="module 'skd' has no attribute 'nothing'"):
        skd.nothing  # noqa: B018


def test_import_needs_numpy_alone_and_has_no_effect(tmp_path):
    script = (
        "import os, sys, threading, numpy\n"
        "before = set(sys.modules)\n"
        "import skd\n"
        "print(*sorted({name.split('.')[0] for name in set(sys.modules) - before}))\n"
        "print(threading.active_count(), os.listdir('.'))\n"
    )
    command = [sys.executable, "-c", script]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=tmp_path)
    modules, state = done.stdout.splitlines()
    third_party = set(modules.split()) - set(sys.stdlib_module_names)
    assert third_party <= {"skd", "numpy"}
    assert state == "1 []"
    assert done.stderr == ""


def test_every_public_name_exists_and_is_documented():
    for module in (skd, skd.ops, skd.losses, skd.datasets):
        for name in module.__all__:
            member = getattr(module, name)
            if name != "__version__":
                assert member.__doc__, f"{module.__name__}.{name}"


def test_the_version_is_that_of_the_installed_distribution():
    assert skd.__version__ == metadata.version("skd")


def test_the_changelog_tells_of_this_version_first():
    changelog = (Path(__file__).parents[2] / "CHANGELOG.md").read_text()
    versions = re.findall(r"^## \[(\d+\.\d+\.\d+)\]", changelog, re.MULTILINE)
    assert versions[0] == skd.__version__


def test_the_package_is_marked_as_typed():
    assert resources.files("skd").joinpath("py.typed").is_file()


#: Helpers of tests that reach into the package: to break it, or to count what it left.
INSIDERS = {
    "fault_scenarios", "file_targets", "internals", "run_faults", "run_hostile", "run_kills",
}  # fmt: skip


def test_only_tests_of_internals_import_private_modules():
    private = re.compile(
        r"^ *(?:from skd[\w.]*\._[a-z]|from skd[\w.]* import _[a-z]|import skd[\w.]*\._)", re.M
    )
    folder = Path(__file__).parent
    found = {path.stem for path in folder.rglob("*.py") if private.search(path.read_text())}
    assert {name for name in found if not name.startswith("test_internal_")} == INSIDERS
