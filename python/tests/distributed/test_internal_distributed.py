"""Internals of launches: communicators and threads of ranks."""

import sys

import pytest

import skd
from skd.distributed import _launch


def test_a_single_process_needs_no_mpi(monkeypatch, make_model):
    for name in _launch.LAUNCHERS:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setitem(sys.modules, "mpi4py", None)
    assert skd.distributed.launched_communicator() is None
    with skd.distributed.abort_on_error(None):
        skd.Gen0(make_model(), communicator=None)


@pytest.mark.parametrize(
    ("affinities", "processors", "threads"),
    [
        ([range(8)] * 4, 8, 2),  # a whole machine, or a container with a set of processors
        ([range(4), range(4, 8)], 4, 4),  # bound by the launcher
        ([range(4), range(4), range(4, 8), range(4, 8)], 4, 2),
        ([range(16)] * 4, 6, 1),  # a container with a limit of time
        ([range(4), range(4, 8)], 3, 1),
        ([range(2)] * 5, 2, 1),
        ([range(512)], 512, 256),
    ],
)
def test_ranks_share_the_processors_that_they_may_use(affinities, processors, threads):
    sets = [set(affinity) for affinity in affinities]
    assert _launch._share(sets, 0, processors) == threads
