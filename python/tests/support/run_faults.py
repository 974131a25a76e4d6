"""Lets the n-th call that changes a file fail, for n = 1, 2, ... until none is left to fail.

    run_faults.py [--every N] [--how HOW ...] [SCENARIO ...]

Each case runs in a process of its own, forked from this one, which never begins to compute. After
a failure each file must be whole, the old one or the new one, and doing the same again must give
what an undisturbed run gives, without leaving anything temporary. Prints a line of JSON for each
scenario and way of failing, and ends with status 1 if anything was wrong.
"""

import argparse
import ctypes
import importlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path

from fault_scenarios import CUT, SCENARIOS, CommandError, torn
from forked import MEMORY, in_child

import skd
from skd._files.temporaries import NAME as TEMPORARY

SHIM = Path(__file__).with_name("fault_shim.cpp")
#: Modes of the shim by what they stand for; the last two are signals that it sends.
WAYS = {
    "once": (1, 0),
    "full": (2, 0),
    "gone": (3, 0),
    "kill": (4, 0),
    "sigint": (5, signal.SIGINT),
    "sigterm": (5, signal.SIGTERM),
}
FATAL = {"kill": signal.SIGKILL, "sigterm": signal.SIGTERM}


def compiled(folder):
    """Return the shim as a library."""
    library = folder / "fault_shim.so"
    options = ("-std=c++17", "-shared", "-fPIC", "-D_GNU_SOURCE", "-Wall", "-Werror")
    compiler = os.environ.get("CXX", "c++")
    subprocess.run([compiler, *options, "-o", library, SHIM, "-ldl"], check=True)
    return library


def contents(folder):
    """Return the content of all files of a folder, by their names in it."""
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def temporaries(folder):
    """Say which temporary files and folders are left."""
    found = (path for path in folder.rglob("*") if TEMPORARY.fullmatch(path.name))
    return [f"{path.relative_to(folder)} is left" for path in found]


class Case:
    """A scenario, and the way in which its calls fail."""

    def __init__(self, name, how, shim, root):
        self._scenario, self._how, self._shim = SCENARIOS[name], how, shim
        self._folder, self._template = root / "case", root / "template"
        self._template.mkdir()
        in_child(self._scenario.prepare, self._template)
        self._before = contents(self._template)
        self._begin_anew()
        self._value, modules = in_child(self._undisturbed)
        for module in modules:  # once here, instead of in every process
            with suppress(ImportError):
                importlib.import_module(module)
        self._after = contents(self._folder)

    def wrong_after(self, n):
        """Let the n-th call fail; return all that is wrong then, or None if there is no such."""
        self._begin_anew()
        ended, answer = in_child(self._disturbed, n, may_die=True)
        if ended:
            has_died = ended == FATAL.get(self._how)
            wrong = [] if has_died else [f"it was ended by signal {ended}"]
        elif answer is None:
            return None
        else:
            has_died, wrong = False, answer
        wrong += self._torn()
        if not has_died and self._how != "gone":
            wrong += temporaries(self._folder)
        value = in_child(self._scenario.again, self._folder)
        return wrong + ([] if value == self._value else ["the result differs"]) + self._differing()

    def _begin_anew(self):
        shutil.rmtree(self._folder, ignore_errors=True)
        shutil.copytree(self._template, self._folder)

    def _undisturbed(self):
        """Act; return what came out, and the modules that were loaded."""
        before = set(sys.modules)
        return self._scenario.act(self._folder), sorted(sys.modules.keys() - before)

    def _disturbed(self, n):
        """Act while the n-th call fails; return what is wrong with the error, None without one."""
        mode, number = WAYS[self._how]
        raised = None
        try:
            self._shim.fault_arm(str(self._folder).encode(), n, mode, number)
            self._scenario.act(self._folder)
        except (Exception, KeyboardInterrupt, SystemExit) as error:
            raised = error
        if not self._shim.fault_disarm():
            return None
        return [] if self._is_right(raised) else [f"it raised {raised!r}"]

    def _is_right(self, raised):
        """Whether an error is what it should be: one that names its file, or the signal's."""
        status, text = raised.args if isinstance(raised, CommandError) else (None, str(raised))
        if self._how in ("sigint", "sigterm"):
            stops = isinstance(raised, KeyboardInterrupt | SystemExit)
            return raised is None or stops or status in (130, 143)
        if status is not None:
            *progress, last = text.splitlines()
            quiet = not any("Traceback" in line for line in progress)
            return status == 1 and quiet and str(self._folder) in last
        is_named = isinstance(raised, skd.WriteError) and str(self._folder) in raised.filename
        return is_named and bool(raised.kept)

    def _torn(self):
        """Say which files are neither the old ones nor the new ones."""
        found = {
            name: data
            for name, data in contents(self._folder).items()
            if not TEMPORARY.search(name)
        }
        if not self._scenario.holds_times:
            states = (self._before, self._after)
            names = [
                name
                for name in found.keys() | self._before
                if found.get(name) not in [state.get(name) for state in states]
            ]
            return [f"{name} is neither old nor new" for name in names]
        # Readers of event files stop at a record that is cut, as a killed process may leave it.
        allowed = (None, CUT) if self._how == "kill" else (None,)
        wrong = {name: torn(self._folder / name) for name in found}
        return [f"{name}: {what}" for name, what in wrong.items() if what not in allowed]

    def _differing(self):
        """Say which files differ from those of an undisturbed run."""
        found = contents(self._folder)
        if self._scenario.holds_times:
            names = {name for name in found.keys() ^ self._after if "tfevents" not in name}
        else:
            names = {name for name, _ in found.items() ^ self._after.items()}
        return temporaries(self._folder) + [f"{name} differs" for name in names]


def run(name, how, every, shim):
    """Let every n-th call of a scenario fail; return what was found."""
    begin, n, cases, wrong = time.monotonic(), 1, 0, {}
    with tempfile.TemporaryDirectory(prefix="skd-faults-", dir=MEMORY) as folder:
        case = Case(name, how, shim, Path(folder))
        while (found := case.wrong_after(n)) is not None:
            cases += 1
            if found:
                wrong[n] = found
            n += every
    seconds = round(time.monotonic() - begin, 1)
    return {"scenario": name, "how": how, "cases": cases, "seconds": seconds, "wrong": wrong}


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("scenarios", nargs="*", choices=[[], *SCENARIOS], metavar="SCENARIO")
    parser.add_argument("--how", nargs="+", choices=WAYS, default=list(WAYS))
    parser.add_argument("--every", type=int, default=1)
    parser.add_argument("--library", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.library is None:
        with tempfile.TemporaryDirectory(prefix="skd-shim-") as folder:
            library = compiled(Path(folder))
            command = [sys.executable, *sys.argv, "--library", library]
            environment = {**os.environ, "LD_PRELOAD": str(library)}
            sys.exit(subprocess.run(command, env=environment, check=False).returncode)
    shim, is_right = ctypes.CDLL(str(options.library)), True
    shim.fault_arm.argtypes = [ctypes.c_char_p, ctypes.c_long, ctypes.c_int, ctypes.c_int]
    for name in options.scenarios or SCENARIOS:
        for how in options.how:
            found = run(name, how, options.every, shim)
            is_right = is_right and not found["wrong"]
            print(json.dumps(found), flush=True)
    sys.exit(not is_right)


if __name__ == "__main__":
    main()
