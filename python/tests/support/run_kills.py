"""Kills a training at random moments, and resumes it until it ends: ``run_kills.py COUNT [SEED]``.

Goes on until COUNT processes were killed. Prints that number and how many runs they belong to, and
ends with status 1 unless every run ended with the bits, and the history, of an undisturbed one.
"""

import random
import sys
import tempfile
import time
from pathlib import Path

import run_fit
from forked import MEMORY, in_child

import skd.training._loop

skd.training._loop.VALIDATION_EPISODES = 20
# All modules are loaded here, once: a process that is killed while it loads them makes no progress.
for name in skd.__all__:
    getattr(skd, name)


def train(folder):
    """Train, or go on; return the digest."""
    trainer = run_fit.make_trainer()
    return run_fit.digest(trainer, run_fit.fit(trainer, folder, epochs=2))


def main(count, seed="0"):
    draw, kills, digests = random.Random(int(seed)), 0, []
    expected = in_child(train, None)
    with tempfile.TemporaryDirectory(prefix="skd-kills-", dir=MEMORY) as folder:
        begin = time.monotonic()
        in_child(train, Path(folder))
        duration = time.monotonic() - begin
    while kills < int(count):
        with tempfile.TemporaryDirectory(prefix="skd-kills-", dir=MEMORY) as folder:
            digest = None
            while digest is None:
                moment = draw.uniform(0, duration)
                ended, digest = in_child(train, Path(folder), may_die=True, kill_after=moment)
                kills += ended != 0
        digests.append(digest)
    print(f"{kills} kills in {len(digests)} runs")
    sys.exit(set(digests) != {expected})


if __name__ == "__main__":
    main(*sys.argv[1:])
