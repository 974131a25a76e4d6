"""Gives random and changed files to every reader: ``run_file_fuzz.py FIRST COUNT [STEP]``.

Cases FIRST, FIRST + STEP, ... are made, each from its number alone. A file may be read, or refused
by an error that names it; whatever else happens is printed, and the script ends with 1. The peak
memory of each case is measured. The last line is a JSON object of counts.
"""

import faulthandler
import json
import random
import sys
import tempfile
import time
import warnings
from pathlib import Path

import numpy as np
from file_mutations import mutated, random_file
from file_targets import targets
from peak_memory import Peak

import skd

SPARE = 64 << 20  # bytes of memory besides twice the file
SECONDS = 10.0  # that a file may take
DEADLOCK = 120  # seconds after which the stacks are printed and the process ends
WATCHED = 100  # cases between two looks at the clock
RANDOM_SHARE = 0.1
LEGAL = (ValueError, OSError, skd.SKDError)


class Fuzz:
    """Makes the cases and judges what comes of them."""

    def __init__(self, folder):
        self.targets = targets(folder)
        self.contents = [sample.content for target in self.targets for sample in target.samples]
        self.counts = {target.name: {"files": 0, "read": 0} for target in self.targets}
        self.faults = []
        self.most_memory, self.most_seconds = 0, 0.0

    def case(self, number):
        """Return the target of a case and the file that it is given."""
        chance = random.Random(number)
        target = self.targets[number % len(self.targets)]
        if chance.random() < RANDOM_SHARE:
            return target, random_file(chance)
        sample = chance.choice(target.samples)
        return target, sample.finish(mutated(sample.content, self.contents, chance))

    def run(self, number):
        """Give a file to its reader."""
        target, data = self.case(number)
        target.path.write_bytes(data)
        counts = self.counts[target.name]
        counts["files"] += 1
        begun, peak = time.perf_counter(), Peak()
        try:
            target.read()
            counts["read"] += 1
        except LEGAL as error:
            text = str(error)
            names = (target.path.name, str(target.path.parent), target.called or target.path.name)
            if not any(name in text for name in names):
                self.fault(number, target, f"does not name the file: {text[:300]}")
        except Exception as error:
            self.fault(number, target, f"{type(error).__name__}: {str(error)[:300]}")
        beyond = peak.grown - 2 * len(data)
        seconds = time.perf_counter() - begun
        self.most_memory = max(self.most_memory, beyond)
        self.most_seconds = max(self.most_seconds, seconds)
        if beyond > SPARE:
            self.fault(number, target, f"took {beyond:,} bytes more than twice its {len(data):,}")
        if seconds > SECONDS:
            self.fault(number, target, f"took {seconds:.1f} s")

    def fault(self, number, target, what):
        self.faults.append(number)
        print(f"case {number}, {target.name}: {what}", flush=True)


def main(first, count, step=1):
    faulthandler.enable()
    warnings.simplefilter("ignore")
    np.seterr(all="ignore")
    with tempfile.TemporaryDirectory() as folder:
        fuzz = Fuzz(Path(folder))
        for number in range(first, first + count * step, step):
            if number // step % WATCHED == 0:
                faulthandler.dump_traceback_later(DEADLOCK, exit=True)
                print(f"from case {number}", file=sys.stderr, flush=True)
            fuzz.run(number)
    faulthandler.cancel_dump_traceback_later()
    totals = {name: sum(c[name] for c in fuzz.counts.values()) for name in ("files", "read")}
    print(json.dumps({
        **totals, "faults": len(fuzz.faults), "readers": fuzz.counts,
        "most_memory_beyond_twice_the_file": fuzz.most_memory, "most_seconds": fuzz.most_seconds,
    }))  # fmt: skip
    return 1 if fuzz.faults else 0


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
