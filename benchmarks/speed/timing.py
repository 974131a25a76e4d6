"""Taking turns: contestants run one after the other, so that a slow minute slows all of them."""

from __future__ import annotations

import math
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

LEAST_SECONDS = 0.2  # of a turn: shorter works are repeated within it
TRIAL_SECONDS = 0.01  # of a run that is compared with another way of the same work
PAUSE_SECONDS = 0.05  # before a turn: threads of the other contestant spin for a while, then sleep

Value = TypeVar("Value")
Runner = Callable[[], float]
Clock = Callable[[], float]
CLOCKS: dict[str, Clock] = {"wall": time.perf_counter, "processor": time.process_time}


@dataclass(frozen=True)
class Sample:
    """Values of one contestant, one for each turn."""

    values: tuple[float, ...]

    @property
    def median(self) -> float:
        """The middle value."""
        return statistics.median(self.values)

    @property
    def least(self) -> float:
        """The smallest value."""
        return min(self.values)

    @property
    def most(self) -> float:
        """The largest value."""
        return max(self.values)

    def scaled(self, change: Callable[[float], float]) -> Sample:
        """Return the sample in another unit."""
        return Sample(tuple(map(change, self.values)))


def median_ratio(numerator: Sample, denominator: Sample) -> float:
    """Return the median of the ratios, turn by turn."""
    pairs = zip(numerator.values, denominator.values, strict=True)
    return statistics.median(a / b for a, b in pairs)


def timed(
    run: Callable[[], object],
    *,
    units: int = 1,
    clock: str = "wall",
    least_seconds: float | None = None,
) -> Runner:
    """Return what runs a work for a turn and tells the seconds of one unit of it.

    Parameters
    ----------
    run : callable
        The work; called as often as fills a turn. The first turn finds that number by two calls
        of its own.
    units : int, default=1
        How many units one call is, such as the steps of an epoch.
    clock : {"wall", "processor"}, default="wall"
        Whose seconds; those of the processor are the sum over all threads.
    least_seconds : float, optional
        Length of a turn; by default `LEAST_SECONDS`.
    """
    repeats = 0

    def turn() -> float:
        nonlocal repeats
        if repeats == 0:
            run()
            least = LEAST_SECONDS if least_seconds is None else least_seconds
            one = _seconds(run, 1, clock)
            repeats = max(1, math.ceil(least / one))
            if repeats == 1:
                return one / units
        return _seconds(run, repeats, clock) / (repeats * units)

    return turn


def timed_once(run: Callable[[], object]) -> Runner:
    """Return what runs a long work once for a turn; `timed` would run the first twice more."""
    return lambda: _seconds(run, 1, "wall")


def _seconds(run: Callable[[], object], repeats: int, clock: str) -> float:
    now = CLOCKS[clock]
    begin = now()
    for _ in range(repeats):
        run()
    return now() - begin


def fastest(runs: Mapping[str, Callable[[], object]]) -> str:
    """Return the name of the run that takes the least time in a short trial."""
    trials = {name: timed(run, least_seconds=TRIAL_SECONDS) for name, run in runs.items()}
    return min(trials, key=lambda name: trials[name]())


def in_turns(runners: Sequence[Callable[[], Value]], turns: int) -> list[list[Value]]:
    """Return the values of all contestants in turns, after one turn that does not count."""
    values: list[list[Value]] = [[] for _ in runners]
    for turn in range(turns + 1):
        for runner, own in zip(runners, values, strict=True):
            time.sleep(PAUSE_SECONDS)
            value = runner()
            if turn > 0:
                own.append(value)
    return values


def take_turns(runners: Sequence[Runner], turns: int) -> list[Sample]:
    """Run all contestants in turns, after one turn that does not count."""
    return [Sample(tuple(own)) for own in in_turns(runners, turns)]
