"""One side of all operations, in a process of its own: ``python -m speed.operation_worker TASK``.

A turn calls every case of a function, each for a few milliseconds: the other side then has its
turn, so that pauses between the sides do not add up.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Any, Self

from speed.digests import Digest
from speed.operations import Case, called, cases, results
from speed.process import Answer, WorkerProcess, serve
from speed.timing import Runner, timed

CASE_SECONDS = 0.01  # of a case in a turn


class OperationContestant:
    """A worker process; a context manager, that begins and ends it.

    Parameters
    ----------
    side : {"skd", "torch"}
        Which library runs the operations.
    threads : int
        Its number of threads.
    """

    def __init__(self, side: str, threads: int) -> None:
        task = json.dumps({"side": side, "threads": threads})
        self._process = WorkerProcess("speed.operation_worker", task)

    def __enter__(self) -> Self:
        """Begin the process and wait until its libraries are imported."""
        self._process.__enter__()
        return self

    def __exit__(self, *error: Any) -> None:
        """Close the process's input, at which it ends."""
        self._process.__exit__(*error)

    def take(self, function: str) -> tuple[list[list[Digest]], list[str]]:
        """Prepare the cases of a function; return digests of their results and their layouts."""
        answer = self._process.ask("take", function=function)
        digests = [[Digest.from_json(each) for each in case] for case in answer["digests"]]
        return digests, answer["layouts"]

    def seconds(self) -> Sequence[float]:
        """Run one turn and return the seconds of one call of each case."""
        seconds: list[float] = self._process.ask("turn")["seconds"]
        return seconds


Run = Callable[[], object]


def side_of(side: str, threads: int) -> Callable[[Case], tuple[Run, str, list[Any]]]:
    """Return what prepares a case: its run, the layout of its images, and its results."""
    if side == "skd":
        import skd

        skd.set_num_threads(threads)

        def prepare(case: Case) -> tuple[Run, str, list[Any]]:
            run = called(case)
            return run, "channels_last", results(case, run())

        return prepare
    import torch

    from speed.torch_operations import converted_back, faster

    torch.set_num_threads(threads)
    torch.set_grad_enabled(False)

    def prepare_theirs(case: Case) -> tuple[Run, str, list[Any]]:
        run, layout = faster(case)
        return run, layout, results(case, converted_back(case, run()))

    return prepare_theirs


class OperationBench:
    """The present function of a side."""

    def __init__(self, prepare: Callable[[Case], tuple[Run, str, list[Any]]]) -> None:
        self._prepare = prepare
        self._turns: list[Runner] = []

    def take(self, function: str) -> Answer:
        """Turn to another function."""
        self._turns, digests, layouts = [], [], []
        for case in cases(function):
            run, layout, values = self._prepare(case)
            self._turns.append(timed(run, least_seconds=CASE_SECONDS))
            layouts.append(layout)
            digests.append([asdict(Digest.of(value)) for value in values])
        return {"digests": digests, "layouts": layouts}

    def turn(self) -> Answer:
        """Run every case for a while."""
        return {"seconds": [turn() for turn in self._turns]}


def main(side: str, threads: int) -> None:
    """Answer requests until the input ends."""
    bench = OperationBench(side_of(side, threads))
    serve({}, {"take": bench.take, "turn": bench.turn})


if __name__ == "__main__":
    main(**json.loads(sys.argv[1]))
