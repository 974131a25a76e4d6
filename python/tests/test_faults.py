"""Whatever call fails, and whenever the process is killed: no file is torn, and no bit is lost."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent / "support"
SAVES = ("new model", "replaced model", "few-shot classifier", "reports")


def run(script, *words):
    """Run a script; return what it prints."""
    command = [sys.executable, HERE / script, *map(str, words)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize(
    ("scenarios", "calls"), [(SAVES, 8), (("import",), 70), (("fit",), 90)], ids=str
)
def test_every_call_may_fail_or_be_the_last(scenarios, calls):
    found = run("run_faults.py", *scenarios, "--how", "once", "kill")
    for line in found.splitlines():
        assert json.loads(line)["cases"] >= calls, line


@pytest.mark.parametrize("how", ["full", "gone", "sigint", "sigterm"])
def test_a_disk_may_stay_full_or_be_gone_and_signals_may_come_at_any_call(how):
    scenarios = ("replaced model", "few-shot classifier", "import", "fit")
    run("run_faults.py", *scenarios, "--how", how, "--every", 6)


def test_a_command_ends_with_status_1_and_one_line_and_is_resumed():
    run("run_faults.py", "train", "--how", "once", "kill", "--every", 33)


def test_runs_that_are_killed_at_50_random_moments_end_with_the_same_bits():
    kills = int(run("run_kills.py", 50).split()[0])
    assert kills >= 50
