"""How much memory importing and training on a set as large as tieredImageNet take.

    python benchmarks/tiered_memory.py                     # 450,000 images, 19 GB of disk
    python benchmarks/tiered_memory.py --images 100000

Generates archives in tieredImageNet's published layout, imports them, trains a tiny network on the
imported set for a while, and deletes all. Import and training run in processes of their own, in
which a thread reads the memory that is not a mapped file every few milliseconds.
"""

from __future__ import annotations

import argparse
import json
import pickle
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

import skd
from speed.machine import processor
from speed.report import markdown_table, shown_command, write_report

ROOT = Path(__file__).resolve().parents[1]
NAME = "tiered-imagenet"
SIDE, BLOCK, PER_CLASS = 84, 1000, 1250
BATCH = 64
FEW = 2500  # images of validation and of test
LIMIT = 1_000_000_000
INTERVAL = 0.005
PROCESSES = ("import", "train")


def generate(folder: Path, images: int) -> None:
    """Write the archives and labels of all parts, in blocks."""
    folder.mkdir()
    rng = np.random.default_rng(0)
    for part, count in (("train", images), ("val", FEW), ("test", FEW)):
        with (
            zipfile.ZipFile(folder / f"{part}_images.npz", "w") as archive,
            archive.open("images.npy", "w", force_zip64=True) as file,
        ):
            header = {"descr": "|u1", "fortran_order": False, "shape": (count, SIDE, SIDE, 3)}
            np.lib.format.write_array_header_1_0(file, header)
            for start in range(0, count, BLOCK):
                shape = (min(BLOCK, count - start), SIDE, SIDE, 3)
                file.write(rng.integers(0, 256, shape, dtype=np.uint8).data)
        labels = (np.arange(count) // PER_CLASS).tolist()
        (folder / f"{part}_labels.pkl").write_bytes(pickle.dumps({"labels": labels}, protocol=2))


class TimeIsUpError(Exception):
    """Training took as long as it may."""


def train(folder: Path, seconds: float) -> dict[str, float]:
    """Train on the imported set, from all over its images, and stop within the epoch."""
    data = skd.datasets.load(NAME, folder)
    model = skd.create_model(
        "convnet4", num_classes=data.train.num_classes, image_size=SIDE, widths=(8, 8, 8, 8)
    )
    trainer = skd.Supervised(model)

    def stop(number: int, frame: object) -> None:
        raise TimeIsUpError

    signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        trainer.fit(data.train, epochs=1, batch_size=BATCH)
    except TimeIsUpError:
        pass
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
    skd.evaluate(model, data.val, n_way=2, n_episodes=20, n_support_copies=1)
    return {"images_seen": trainer.steps_taken * BATCH}


def memory(field: str) -> int:
    """Return bytes of a field of this process's status."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(f"{field}:"):
            return 1024 * int(line.split()[1])
    raise RuntimeError(f"/proc/self/status has no {field}")


def measured(work: Callable[[], dict[str, float]]) -> dict[str, float]:
    """Run a work and return the peak of its memory besides mapped files, and its seconds."""
    peak, done = memory("RssAnon"), threading.Event()

    def watch() -> None:
        nonlocal peak
        while not done.wait(INTERVAL):
            peak = max(peak, memory("RssAnon"))

    thread = threading.Thread(target=watch)
    thread.start()
    begin = time.perf_counter()
    try:
        result = work()
        peak = max(peak, memory("RssAnon"))
    finally:
        done.set()
        thread.join()
    seconds = time.perf_counter() - begin
    return {"peak_bytes": peak, "resident_bytes": memory("VmHWM"), "seconds": seconds, **result}


def run_process(name: str, folder: Path, seconds: float) -> None:
    """Do one work and print what was measured as JSON."""
    works: dict[str, Callable[[], dict[str, float]]] = {
        "import": lambda: (
            skd.datasets.import_data(folder / "source", name=NAME, to=folder / "native") and {}
        ),
        "train": lambda: train(folder / "native", seconds),
    }
    print(json.dumps(measured(works[name])))


def report(images: int, results: dict[str, dict[str, float]]) -> list[str]:
    """Render the report."""
    rows = [
        (
            name,
            f"{result['seconds']:.0f}",
            f"{result['peak_bytes'] / 1e6:.0f}",
            f"{result['resident_bytes'] / 1e6:.0f}",
            "yes" if result["peak_bytes"] < LIMIT else "no",
        )
        for name, result in results.items()
    ]
    headings = ("process", "seconds", "peak beyond files, MB", "with mapped pages, MB", "< 1 GB")
    return [
        "# Memory of a set as large as tieredImageNet",
        "",
        f"`{shown_command(sys.argv)}`; skd {skd.__version__}, NumPy {np.__version__}; "
        f"{processor()}.",
        "",
        f"{images:,} training images of {SIDE} x {SIDE} x 3: {images * SIDE * SIDE * 3 / 1e9:.1f} "
        "GB. The first peak counts memory that is not a mapped file (RssAnon); the second counts "
        "pages of the mapped file too, which the system takes back when it needs them.",
        "",
        *markdown_table(headings, rows),
        "",
        f"Training: {results['train']['images_seen']:,.0f} images in the order of an epoch, by a "
        "tiny network, and an evaluation.",
    ]


def main() -> None:
    """Run the benchmark, or one process of it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--images", type=int, default=450_000, help="of the training part")
    parser.add_argument("--seconds", type=float, default=30, help="of training")
    parser.add_argument("--folder", type=Path, help="where to put the files for a while")
    parser.add_argument("--output", type=Path, default=ROOT / "benchmarks" / "results")
    parser.add_argument("--process", choices=PROCESSES, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.process:
        run_process(options.process, options.folder, options.seconds)
        return
    folder = Path(tempfile.mkdtemp(prefix="skd-tiered-", dir=options.folder))
    try:
        generate(folder / "source", options.images)
        results: dict[str, dict[str, Any]] = {}
        for name in PROCESSES:
            command = [sys.executable, __file__, "--process", name, "--folder", str(folder)]
            command += ["--seconds", str(options.seconds)]
            output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
            results[name] = json.loads(output)
    finally:
        shutil.rmtree(folder)
    lines = report(options.images, results)
    content = {"images": options.images, "processor": processor(), "results": results}
    write_report(options.output, "tiered_memory", content, lines)
    print("\n".join(lines))


if __name__ == "__main__":
    main()
