"""Hostile integers, floats and arrays for every public callable: refused by name, or taken."""

import contextlib
import os
import subprocess
import sys
from pathlib import Path

import hostile_calls
import pytest
import run_hostile

SCRIPT = Path(run_hostile.__file__)
SECONDS = 300
PROCESSES = 2


@pytest.fixture
def names(tmp_path, monkeypatch):
    """Return the names of what is called."""
    monkeypatch.chdir(tmp_path)
    return sorted(hostile_calls.cases(tmp_path))


def test_every_public_callable_has_a_right_call(names):
    wanted = hostile_calls.public_callables() - hostile_calls.NOT_CALLED
    assert wanted - set(names) == set()


def test_hostile_values_are_refused_by_the_name_of_the_argument(names, tmp_path, capsys):
    environment = {**os.environ, "MPLBACKEND": "Agg"}
    outputs = [tmp_path / f"{part}.txt" for part in range(PROCESSES)]
    with contextlib.ExitStack() as stack:
        running = []
        for part, path in enumerate(outputs):
            command = [sys.executable, SCRIPT, *names[part::PROCESSES]]
            file = stack.enter_context(path.open("w"))
            process = subprocess.Popen(
                command, stdout=file, stderr=subprocess.STDOUT, env=environment
            )
            stack.callback(process.kill)
            running.append(process)
        statuses = [process.wait(SECONDS) for process in running]
    ends = [path.read_text().splitlines()[-20:] for path in outputs]
    assert statuses == [0] * PROCESSES, "\n".join(line for end in ends for line in end)
    with capsys.disabled():
        print("".join(f" {end[-1]}" for end in ends), end="")
