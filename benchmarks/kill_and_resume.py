"""Kill a small fit at random moments until it is done, and compare its end with a quiet run's.

Prints a line for each of 20 runs and writes ``results/kill_and_resume.json`` and ``.md``. A run is
killed by SIGKILL after a random part of the time that a quiet run takes, and resumed, again and
again until it ends by itself. What ends differently, in any bit of the state or of the history but
its times, makes the script fail.
"""

from __future__ import annotations

import argparse
import json
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from speed.machine import processor

ROOT = Path(__file__).parents[1]
DRIVER = ROOT / "python" / "tests" / "support" / "run_fit.py"
RESULTS = ROOT / "benchmarks" / "results"
EPOCHS = 12


def run(folder: Path, threads: int, seconds: float | None) -> tuple[str | None, float]:
    """Start or resume the fit; kill it some seconds after it began.

    Returns
    -------
    digest : str or None
        The SHA-256 of its end; None if it was killed.
    elapsed : float
        Seconds since training began.
    """
    command = [sys.executable, str(DRIVER), str(folder), str(threads), str(EPOCHS)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        if process.stdout.readline() != "training\n":
            raise SystemExit("the fit did not begin")
        start = time.perf_counter()
        try:
            output, _ = process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            return None, time.perf_counter() - start
        if process.returncode:
            raise SystemExit("the fit failed")
        return output.strip(), time.perf_counter() - start


def killed_run(folder: Path, rng: random.Random, expected: str, quiet: float) -> dict[str, object]:
    """Kill and resume one run until it is done."""
    threads, moments = [], []
    while True:
        threads.append(rng.choice((1, 2)))
        digest, elapsed = run(folder, threads[-1], rng.uniform(0, quiet / 2))
        if digest is not None:
            return {
                "kills": len(moments),
                "seconds": moments,
                "threads": threads,
                "identical": digest == expected,
            }
        moments.append(round(elapsed, 3))


def main() -> None:
    """Kill, resume, compare, report."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    rng = random.Random(arguments.seed)
    with tempfile.TemporaryDirectory() as scratch:
        expected, quiet = run(Path(scratch) / "quiet", 1, None)
        if expected is None:
            raise SystemExit("the quiet run was killed")
        runs = []
        for number in range(arguments.runs):
            runs.append(killed_run(Path(scratch) / str(number), rng, expected, quiet))
            print(f"run {number + 1}: {runs[-1]}", flush=True)
    same = sum(bool(entry["identical"]) for entry in runs)
    kills = sum(int(str(entry["kills"])) for entry in runs)
    sentence = (
        f"{same} of {len(runs)} runs, killed {kills} times, ended with the bits of a quiet one"
    )
    RESULTS.mkdir(exist_ok=True)
    report = {
        "machine": processor(),
        "sha256": expected,
        "quiet_seconds": quiet,
        "runs": runs,
    }
    (RESULTS / "kill_and_resume.json").write_text(json.dumps(report, indent=1) + "\n")
    lines = [
        f"`python benchmarks/kill_and_resume.py --runs {len(runs)} --seed {arguments.seed}`, on",
        f"{processor()}:",
        f"{sentence} ({EPOCHS} epochs of 5 steps in {quiet:.1f} s,",
        "a checkpoint every 2 steps; one or two threads).",
        "",
        "| run | kills | seconds of training before each | identical |",
        "|---|---|---|---|",
    ]
    for number, entry in enumerate(runs, start=1):
        moments = ", ".join(map(str, entry["seconds"]))  # type: ignore[arg-type, call-overload]
        lines.append(f"| {number} | {entry['kills']} | {moments} | {entry['identical']} |")
    (RESULTS / "kill_and_resume.md").write_text("\n".join(lines) + "\n")
    print(sentence)
    if same < len(runs):
        raise SystemExit(1)


if __name__ == "__main__":
    main()
