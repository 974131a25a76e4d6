"""What a step, and an evaluation, take from the heap, time after time.

    python benchmarks/allocations.py               # benchmarks/results/allocations.{json,md}

Counts the calls of malloc and its kin, and of mmap, in a process of its own, on all threads, by a
small library that the C compiler makes and that is loaded before all others (Linux with glibc).
"""

from __future__ import annotations

import argparse
import ctypes
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import skd
from speed.report import markdown_table, shown_command, write_report
from speed.works import Kind, Work, ours

ROOT = Path(__file__).resolve().parents[1]
COUNTER = Path(__file__).parent / "speed" / "count_allocations.c"
WORKS = (
    Work(Kind.GEN0, 32, 16),
    Work(Kind.GEN0, 84, 4),
    Work(Kind.GEN0, 84, 4, precision="bfloat16"),
    Work(Kind.GEN1_TWINS, 32, 16),
    Work(Kind.EMBED, 84, 64),
)
REPETITIONS = 5


def counted(number: int) -> list[tuple[int, int]]:
    """Return calls and bytes of each repetition of a work; run with the counter loaded."""
    library = ctypes.CDLL(None)
    calls, taken = library.skd_allocation_calls, library.skd_allocated_bytes
    calls.restype = taken.restype = ctypes.c_long
    run, counts = ours(WORKS[number]), []
    for _ in range(REPETITIONS):
        before = calls(), taken()
        run()
        counts.append((calls() - before[0], taken() - before[1]))
    return counts


def main() -> None:
    """Count all works and write the results."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--output", type=Path, default=ROOT / "benchmarks" / "results")
    parser.add_argument("--work", type=int, help=argparse.SUPPRESS)  # of a process of its own
    options = parser.parse_args()
    if options.work is not None:
        print(json.dumps(counted(options.work)))
        return
    works = []
    with tempfile.TemporaryDirectory() as folder:
        library = Path(folder) / "count_allocations.so"
        command = ["cc", "-O2", "-shared", "-fPIC", "-o", library, COUNTER, "-ldl"]
        subprocess.run(command, check=True)
        for number, work in enumerate(WORKS):
            text = subprocess.check_output(
                [sys.executable, __file__, "--work", str(number)],
                env={**os.environ, "LD_PRELOAD": str(library)},
                text=True,
            )
            works.append({"work": work.name, "counts": json.loads(text)})
            print(works[-1], flush=True)
    rows = [
        (entry["work"], *(f"{calls} ({size / 1e3:.1f} KB)" for calls, size in entry["counts"]))
        for entry in works
    ]
    headings = ("work", *(str(number + 1) for number in range(REPETITIONS)))
    lines = [
        "# What is taken from the heap",
        "",
        f"`{shown_command(sys.argv)}`, {skd.instruction_set()}: calls of malloc,",
        "calloc, realloc, posix_memalign, aligned_alloc and mmap, and their bytes, the first",
        "time a work is done, the second, and so on.",
        "",
        *markdown_table(headings, rows),
    ]
    write_report(options.output, "allocations", {"works": works}, lines)


if __name__ == "__main__":
    main()
