"""Give a million random and changed files to every reader, and record what came of them.

A file may be read, or refused by an error that names it. Crashes, other errors, deadlocks and
memory beyond twice the file and 64 MB count as faults. The record, ``results/file_fuzz.json`` and
``.md``, is written anew after every part of 10,000 files; ``--resume`` goes on from it.
Each case follows from its number alone, and ``python/tests/support/run_file_fuzz.py NUMBER 1``
repeats it.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import accumulate
from pathlib import Path
from typing import Any

import numpy as np
import PIL

import skd
from speed.machine import processor

ROOT = Path(__file__).parents[1]
DRIVER = ROOT / "python" / "tests" / "support" / "run_file_fuzz.py"
RESULTS = ROOT / "benchmarks" / "results"
PART = 10_000
SECONDS = 4 * 3600  # that a part may take on a busy machine
FAULT = "case "


class Record:
    """Counts of all parts so far."""

    def __init__(self, first: int) -> None:
        self.first = self.next = first
        self.seconds = 0.0
        self.files = self.read = self.crashes = self.most_memory = 0
        self.most_seconds = 0.0
        self.faults: list[str] = []
        self.readers: dict[str, Counter[str]] = {}

    @classmethod
    def of_file(cls) -> Record:
        """Return the record that an earlier run wrote."""
        report = json.loads((RESULTS / "file_fuzz.json").read_text())
        record = cls(report["first_case"])
        record.next, record.seconds = report["next_case"], report["seconds"]
        record.files, record.read = report["files"], report["read"]
        record.crashes, record.faults = report["crashes"], report["faults"]
        record.most_memory = report["most_memory_beyond_twice_the_file"]
        record.most_seconds = report["most_seconds"]
        record.readers = {name: Counter(counts) for name, counts in report["readers"].items()}
        return record

    def add(self, counts: Sequence[int]) -> None:
        """Give the files of the next parts to the readers, all parts at once."""
        firsts = list(accumulate(counts, initial=self.next))
        begun = time.perf_counter()
        with ThreadPoolExecutor(len(counts)) as pool:
            done = list(pool.map(_run, firsts, counts))
        self.seconds += time.perf_counter() - begun
        self.next = firsts[-1]
        for part in done:
            self._count(part)

    def _count(self, done: subprocess.CompletedProcess[str]) -> None:
        """Count what came of a part."""
        lines = done.stdout.splitlines()
        self.faults += [line for line in lines if line.startswith(FAULT)]
        if done.returncode not in (0, 1) or not lines:
            self.crashes += 1
            last = done.stderr.strip().splitlines()[-1:] or ["before the first case"]
            self.faults.append(f"crash with status {done.returncode}, {last[0]}")
            return
        counts = json.loads(lines[-1])
        self.files, self.read = self.files + counts["files"], self.read + counts["read"]
        self.most_memory = max(self.most_memory, counts["most_memory_beyond_twice_the_file"])
        self.most_seconds = max(self.most_seconds, counts["most_seconds"])
        for name, own in counts["readers"].items():
            self.readers.setdefault(name, Counter()).update(own)

    def write(self) -> None:
        """Write the record so far."""
        report: dict[str, Any] = {
            "machine": processor(),
            "versions": {
                "skd": skd.__version__,
                "python": sys.version.split()[0],
                "numpy": np.__version__,
                "pillow": PIL.__version__,
            },
            "first_case": self.first,
            "next_case": self.next,
            "files": self.files,
            "read": self.read,
            "refused": self.files - self.read,
            "crashes": self.crashes,
            "faults": self.faults,
            "most_memory_beyond_twice_the_file": self.most_memory,
            "most_seconds": self.most_seconds,
            "seconds": self.seconds,
            "readers": {name: dict(counts) for name, counts in self.readers.items()},
        }
        RESULTS.mkdir(exist_ok=True)
        (RESULTS / "file_fuzz.json").write_text(json.dumps(report, indent=1) + "\n")
        (RESULTS / "file_fuzz.md").write_text("\n".join(self.lines()) + "\n")

    def lines(self) -> list[str]:
        """Return the record in words."""
        rows = [
            f"| {name} | {counts['files']:,} | {counts['read']:,} |"
            for name, counts in sorted(self.readers.items())
        ]
        refused, megabytes = self.files - self.read, self.most_memory / 1e6
        return [
            f"`python benchmarks/file_fuzz.py --first {self.first} --count {self.files}`, on",
            f"{processor()}:",
            "",
            f"{self.files:,} random and changed files were given to every reader.",
            f"{self.read:,} were read and {refused:,} refused by an error that names the file,",
            f"with {self.crashes} crashes and {len(self.faults)} faults. No file took more than",
            f"{megabytes:.1f} MB beyond twice its length, where 67.1 are allowed, or more than",
            f"{self.most_seconds:.1f} s on a busy machine.",
            "",
            "| reader | files | read |",
            "|---|---|---|",
            *rows,
        ]


def _run(first: int, count: int) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(DRIVER), str(first), str(count)]
    return subprocess.run(command, capture_output=True, text=True, timeout=SECONDS)


def main() -> None:
    """Make the cases part by part, and record them."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--first", type=int, default=0, help="number of the first case")
    parser.add_argument("--count", type=int, default=1_000_000, help="number of files")
    parser.add_argument("--processes", type=int, default=1, help="parts at once")
    parser.add_argument("--resume", action="store_true", help="go on from the record")
    arguments = parser.parse_args()
    record = Record.of_file() if arguments.resume else Record(arguments.first)
    end = record.first + arguments.count
    while record.next < end:
        starts = range(record.next, end, PART)[: arguments.processes]
        record.add([min(PART, end - start) for start in starts])
        record.write()
        print(f"{record.files:,} files, {len(record.faults)} faults", flush=True)
    if record.faults:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
