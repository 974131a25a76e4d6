"""Limits of the process below those of the machine: processors, addresses, threads."""

import os
import resource
import subprocess
import sys
import threading

import numpy as np
import pytest

import skd


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


# Each thread has a stack of 1 MB: some start, and then no more.
FEW_ADDRESSES = """
import os, resource, numpy as np, skd
x = np.random.default_rng(0).normal(size=5_000_000).astype(np.float32)
skd.set_num_threads(1)
expected = skd.ops.leaky_relu(x)
pages = int(open("/proc/self/statm").read().split()[0])
before = resource.getrlimit(resource.RLIMIT_AS)
limit = pages * resource.getpagesize() + 150 * 2**20
skd.set_num_threads(256)
resource.setrlimit(resource.RLIMIT_AS, (limit, before[1]))
result = skd.ops.leaky_relu(x)
resource.setrlimit(resource.RLIMIT_AS, before)
threads = len(os.listdir("/proc/self/task"))
assert np.array_equal(result, expected)
assert np.array_equal(skd.ops.leaky_relu(x), expected)
print(threads, len(os.listdir("/proc/self/task")))
"""


def test_loops_run_on_the_threads_that_the_system_gives():
    threads, later = run(FEW_ADDRESSES)
    assert 1 < int(threads) < 256 <= int(later)


def test_where_no_thread_can_start_fit_prefetches_nothing(make_model, make_split, monkeypatch):
    def refuse(thread):
        raise RuntimeError("can't start new thread")

    split, trainers = make_split(), [skd.Supervised(make_model()) for _ in range(2)]
    trainers[0].fit(split, epochs=1, batch_size=20, progress=False)
    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", refuse)
        trainers[1].fit(split, epochs=1, batch_size=20, progress=False)
    one, other = (trainer.model.snapshot() for trainer in trainers)
    for name, array in one.items():
        np.testing.assert_array_equal(other[name], array, name)
