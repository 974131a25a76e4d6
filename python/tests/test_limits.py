"""Limits of the process below those of the machine: processors, addresses, threads."""

import os
import resource
import subprocess
import sys

import pytest


def run(program, prepare=None):
    """Return what a program prints that runs in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-c", program], preexec_fn=prepare, capture_output=True, text=True
    )
    assert done.returncode == 0, (done.returncode, done.stderr)
    return done.stdout.split()


@pytest.mark.parametrize("count", sorted({1, len(os.sched_getaffinity(0))}))
def test_there_are_as_many_threads_as_processors_that_the_process_may_use(count):
    allowed = sorted(os.sched_getaffinity(0))[:count]
    (threads,) = run(
        "import skd; print(skd.get_num_threads())",
        prepare=lambda: os.sched_setaffinity(0, allowed),
    )
    assert int(threads) <= count  # a container may have less time than processors
    assert count > 1 or int(threads) == 1


def test_a_limit_of_addresses_limits_the_available_memory():
    limit = 4 << 30
    (available,) = run(
        "import skd; print(skd.available_memory())",
        prepare=lambda: resource.setrlimit(resource.RLIMIT_AS, (limit, limit)),
    )
    assert 0 < int(available) < limit
