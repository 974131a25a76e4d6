"""One contestant in a process of its own: ``python -m speed.worker TASK``, run by `Contestant`.

Prints one line of JSON for each line that it reads, after a first one when it is ready.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from speed.timing import timed
from speed.works import Kind, Work, ours


@dataclass(frozen=True)
class Task:
    """Which side does which work with how many threads."""

    side: str  # "skd", "torch", or one of `engines.ENGINES`
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
        work = fields.pop("work")
        return cls(work=Work(**{**work, "kind": Kind(work["kind"])}), **fields)


class Contestant:
    """A worker process; a context manager, that begins and ends it."""

    def __init__(
        self,
        task: Task,
        *,
        python: str = sys.executable,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self._command = [python, "-m", "speed.worker", task.to_json()]
        self._environment = {**os.environ, **(environment or {})}
        self.peak_gflops: float | None = None
        self.instruction_set: str | None = None

    def __enter__(self) -> Contestant:
        """Begin the process and wait until its libraries are imported."""
        self._process = subprocess.Popen(
            self._command,
            cwd=Path(__file__).parents[1],
            env=self._environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        ready = self._answer()
        self.peak_gflops, self.instruction_set = ready["peak_gflops"], ready["instruction_set"]
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the process's input, at which it ends."""
        self._process.__exit__(kind, error, trace)

    def seconds(self) -> float:
        """Run one turn and return the seconds of one run."""
        return self._ask("turn")["seconds"]

    def features(self) -> NDArray[np.float32]:
        """Run the work once and return its result, of an engine."""
        return np.array(self._ask("features")["features"], dtype=np.float32)

    def memory(self) -> float:
        """Run the work a few times and return the bytes that it took at most."""
        return self._ask("memory")["bytes"]

    def _ask(self, request: str) -> dict[str, Any]:
        assert self._process.stdin is not None
        with contextlib.suppress(BrokenPipeError):  # it ended: so says the answer
            self._process.stdin.write(request + "\n")
            self._process.stdin.flush()
        return self._answer()

    def _answer(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            self._process.__exit__(None, None, None)
            raise RuntimeError(f"a worker ended with status {self._process.returncode}")
        return json.loads(line)


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


def serve(task: Task) -> None:
    """Answer requests until the input ends."""
    ready = {"peak_gflops": None, "instruction_set": None}
    prepare: Callable[[Work], Callable[[], object]]
    if task.side == "skd":
        import skd

        skd.set_num_threads(task.threads)
        ready = {"peak_gflops": skd.peak_gflops(), "instruction_set": skd.instruction_set()}
        prepare = ours
    elif task.side != "torch":
        from speed.engines import embedding

        def prepare(work: Work) -> Callable[[], object]:
            return embedding(task.side, work, task.threads)

    else:
        import torch

        from speed.torch_works import theirs

        torch.set_num_threads(task.threads)
        prepare = theirs
    forget_peak()
    baseline = resident_bytes("VmRSS")
    print(json.dumps(ready), flush=True)
    run = prepare(task.work)
    turn = timed(run, clock=task.clock)
    for request in map(str.strip, sys.stdin):
        if request == "turn":
            answer = {"seconds": turn()}
        elif request == "features":
            answer = {"features": np.asarray(run()).tolist()}
        else:
            for _ in range(MEMORY_STEPS):
                run()
            answer = {"bytes": resident_bytes("VmHWM") - baseline}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    serve(Task.from_json(sys.argv[1]))
