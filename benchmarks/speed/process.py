"""A worker in a process of its own: one line of JSON in, one line of JSON out."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

Answer = dict[str, Any]


class WorkerProcess:
    """A process that runs ``python -m MODULE ARGUMENT``; a context manager begins and ends it.

    Parameters
    ----------
    module : str
        Module whose main program calls `serve`.
    argument : str
        Its one argument.
    python : str, optional
        Interpreter; by default the running one.
    environment : mapping of str to str, optional
        Variables that differ from those of this process.
    """

    def __init__(
        self,
        module: str,
        argument: str,
        *,
        python: str = sys.executable,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self._command = [python, "-m", module, argument]
        self._environment = {**os.environ, **(environment or {})}
        self.ready: Answer = {}

    def __enter__(self) -> Self:
        """Begin the process and wait until its libraries are imported."""
        self._process = subprocess.Popen(
            self._command,
            cwd=Path(__file__).parents[1],
            env=self._environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.ready = self._answer()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the process's input, at which it ends."""
        self._process.__exit__(kind, error, trace)

    def ask(self, request: str, **details: Any) -> Answer:
        """Send a request and wait for its answer."""
        assert self._process.stdin is not None
        with contextlib.suppress(BrokenPipeError):  # it ended: so says the answer
            self._process.stdin.write(json.dumps({"request": request, **details}) + "\n")
            self._process.stdin.flush()
        return self._answer()

    def _answer(self) -> Answer:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            self._process.__exit__(None, None, None)
            raise RuntimeError(f"a worker ended with status {self._process.returncode}")
        answer: Answer = json.loads(line)
        return answer


def serve(ready: Answer, handlers: Mapping[str, Callable[..., Answer]]) -> None:
    """Say that the worker is ready, then answer requests by name until the input ends."""
    print(json.dumps(ready), flush=True)
    for line in sys.stdin:
        details = json.loads(line)
        print(json.dumps(handlers[details.pop("request")](**details)), flush=True)
