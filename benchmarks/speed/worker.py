"""One contestant in a process of its own: ``python -m speed.worker TASK``, run by `Contestant`."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from speed.digests import Digest
from speed.process import Answer, WorkerProcess, serve
from speed.timing import timed
from speed.works import Work, agreed, ours


@dataclass(frozen=True)
class Task:
    """Which side does which work with how many threads."""

    side: str  # "skd", "torch", "faster torch", or one of `engines.ENGINES`
    work: Work
    threads: int
    clock: str = "wall"

    def to_json(self) -> str:
        """Return the task as an argument of a command."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Task:
        """Return the task that `to_json` wrote."""
        fields = json.loads(text)
        return cls(work=Work.from_json(fields.pop("work")), **fields)


class Contestant:
    """A worker process; a context manager, that begins and ends it."""

    def __init__(
        self,
        task: Task,
        *,
        python: str = sys.executable,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self._process = WorkerProcess(
            "speed.worker", task.to_json(), python=python, environment=environment
        )

    def __enter__(self) -> Self:
        """Begin the process and wait until its libraries are imported."""
        self._process.__enter__()
        return self

    def __exit__(self, *error: Any) -> None:
        """Close the process's input, at which it ends."""
        self._process.__exit__(*error)

    @property
    def peak_gflops(self) -> float | None:
        """Multiply-add peak with the threads of the task, of SKD."""
        return self._process.ready["peak_gflops"]

    @property
    def instruction_set(self) -> str | None:
        """Instruction set that the library is built for, of SKD."""
        return self._process.ready["instruction_set"]

    def take(self, work: Work) -> None:
        """Turn to another work."""
        self._process.ask("take", work=asdict(work))

    def prepare(self) -> str:
        """Prepare the work before the first turn and return the layout of its images."""
        layout: str = self._process.ask("prepare")["layout"]
        return layout

    def seconds(self) -> float:
        """Run one turn and return the seconds of one run."""
        seconds: float = self._process.ask("turn")["seconds"]
        return seconds

    def features(self) -> NDArray[np.float32]:
        """Run the work once and return its result, of an engine."""
        return np.array(self._process.ask("features")["features"], dtype=np.float32)

    def agreed(self) -> list[Digest]:
        """Return the digests of what both sides compute from the same weights and images."""
        return [Digest.from_json(fields) for fields in self._process.ask("agreed")["digests"]]

    def memory(self) -> float:
        """Run the work a few times and return the bytes that it took at most."""
        size: float = self._process.ask("memory")["bytes"]
        return size


MEMORY_STEPS = 5


def resident_bytes(field: str) -> int:
    """Return the memory that is resident now ("VmRSS") or was at most ("VmHWM").

    `getrusage` will not do: its maximum begins with that of the parent process.
    """
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(field + ":"):
            return int(line.split()[1]) * 1024
    raise RuntimeError(f"/proc/self/status has no {field}")


def forget_peak() -> None:
    """Let "VmHWM" begin anew."""
    Path("/proc/self/clear_refs").write_text("5")


Run = Callable[[], object]


@dataclass(frozen=True)
class Side:
    """How one side prepares a work, with the layout of its images, and what it must agree on."""

    prepare: Callable[[Work], tuple[Run, str]]
    agreed: Callable[[Work], list[Any]]
    peak_gflops: float | None = None
    instruction_set: str | None = None


def side_of(task: Task) -> Side:
    """Import what a side needs."""
    if task.side == "skd":
        import skd

        skd.set_num_threads(task.threads)
        return Side(
            lambda work: (ours(work), "channels_last"),
            agreed,
            skd.peak_gflops(),
            skd.instruction_set(),
        )
    if task.side in ("torch", "faster torch"):
        import torch

        from speed import torch_works

        torch.set_num_threads(task.threads)
        is_free = task.side == "faster torch"
        return Side(torch_works.faster if is_free else torch_works.usual, torch_works.agreed)
    from speed.engines import embedding

    def prepare(work: Work) -> tuple[Run, str]:
        return embedding(task.side, work, task.threads), "channels_last"

    return Side(prepare, lambda work: [prepare(work)[0]()])


class Bench:
    """The present work of a side, which is prepared at its first use."""

    def __init__(self, side: Side, task: Task, baseline: int) -> None:
        self._side, self._work, self._clock, self._baseline = side, task.work, task.clock, baseline
        self._run: Run | None = None
        self._turn: Callable[[], float] | None = None
        self._layout = ""

    def take(self, work: dict[str, Any]) -> Answer:
        """Turn to another work, and free the last one."""
        self._run, self._turn, self._work = None, None, Work.from_json(work)
        return {}

    def prepare(self) -> Answer:
        """Prepare the work."""
        self._prepared()
        return {"layout": self._layout}

    def turn(self) -> Answer:
        """Run the work for one turn."""
        run = self._prepared()
        self._turn = self._turn or timed(run, clock=self._clock)
        return {"seconds": self._turn()}

    def features(self) -> Answer:
        """Run the work once, for its result."""
        return {"features": np.asarray(self._prepared()()).tolist()}

    def agreed(self) -> Answer:
        """Compute the results that both sides must agree on."""
        return {"digests": [asdict(Digest.of(each)) for each in self._side.agreed(self._work)]}

    def memory(self) -> Answer:
        """Run the work a few times and tell the memory that it took."""
        run = self._prepared()
        for _ in range(MEMORY_STEPS):
            run()
        return {"bytes": resident_bytes("VmHWM") - self._baseline}

    def _prepared(self) -> Run:
        if self._run is None:
            self._run, self._layout = self._side.prepare(self._work)
        return self._run


def main(task: Task) -> None:
    """Answer requests until the input ends."""
    side = side_of(task)
    forget_peak()
    bench = Bench(side, task, resident_bytes("VmRSS"))
    requests = (
        bench.take,
        bench.prepare,
        bench.turn,
        bench.features,
        bench.agreed,
        bench.memory,
    )
    ready = {"peak_gflops": side.peak_gflops, "instruction_set": side.instruction_set}
    serve(ready, {request.__name__: request for request in requests})


if __name__ == "__main__":
    main(Task.from_json(sys.argv[1]))
