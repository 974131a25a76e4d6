"""Make weights that come with the package of a finished run, and measure what they cost.

    python benchmarks/pretrained.py photos-84 --folder RUNS/photos-84

The run is one of `paper.py` with the recipe of that name. Its weights are rounded to bfloat16 and
written into the package. `results/pretrained.{json,md}` get their size, the time to load them and
to embed one image, and the change that the rounding makes on the validation classes. The accuracy
on the test classes is in the row of the run, in `results/paper.json`. Run it on an idle machine.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

import skd
import skd.recipes
from speed.machine import processor
from speed.report import markdown_table, write_report

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "benchmarks" / "results"
WEIGHTS = ROOT / "python" / "skd" / "models" / "pretrained"
MAX_BYTES = 8_000_000
REPEATS = 25


def milliseconds(work: Callable[[], object]) -> float:
    """Return the median time of a work that has run once before."""
    work()
    times = []
    for _ in range(REPEATS):
        begun = time.perf_counter()
        work()
        times.append(1000 * (time.perf_counter() - begun))
    return median(times)


def rounding(recipe: skd.recipes.Recipe, exact: skd.Model, rounded: skd.Model) -> dict[str, Any]:
    """Return what rounding the weights changes, on the same episodes of the validation classes."""
    val = skd.datasets.load(recipe.data.name, recipe.data.root).val
    changes = {}
    for name, n_shot in (("one_shot", 1), ("five_shot", 5)):
        own, other = (
            skd.evaluate(
                model,
                val,
                n_shot=n_shot,
                n_episodes=recipe.evaluation.n_episodes,
                n_support_copies=1,
                support_augmentation="none",
            )
            for model in (rounded, exact)
        )
        changes[name] = list(own.difference(other))
    return changes


def measured(name: str, path: Path) -> dict[str, Any]:
    """Return what the weights of a file cost."""
    model = skd.load_model(path)
    image = np.zeros((1, model.image_size, model.image_size, model.input_channels), np.uint8)
    return {
        "name": name,
        "bytes": path.stat().st_size,
        "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        "load_ms": milliseconds(lambda: skd.load_model(path)),
        "embed_ms": milliseconds(lambda: model.embed(image)),
        "machine": processor(),
        "threads": skd.get_num_threads(),
    }


def table(rows: list[dict[str, Any]]) -> list[str]:
    """Render the rows as Markdown."""
    headings = ["weights", "MB", "ms to load", "ms for one image", "rounding, 1-shot", "5-shot"]
    lines = [
        [
            row["name"],
            f"{row['bytes'] / 1e6:.1f}",
            f"{row['load_ms']:.0f}",
            f"{row['embed_ms']:.1f}",
            *(
                f"{row['rounding'][shots][0]:+.2f} ± {row['rounding'][shots][1]:.2f}"
                for shots in ("one_shot", "five_shot")
            ),
        ]
        for row in rows
    ]
    return markdown_table(headings, lines)


def main() -> None:
    """Round, write and measure the weights of a run."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("name", help="name of the weights and of their recipe")
    parser.add_argument("--folder", type=Path, required=True, help="folder of the finished run")
    parser.add_argument("--set", action="append", default=[], metavar="TABLE.KEY=VALUE")
    options = parser.parse_args()
    folder = skd.recipes.RunFolder(options.folder)
    if not folder.is_finished:
        parser.error(f"there is no finished run in {options.folder}")
    recipe = skd.recipes.load(options.name, changes=options.set)
    exact, path = skd.load_model(folder.model), WEIGHTS / f"{options.name}.safetensors"
    path.parent.mkdir(exist_ok=True)
    exact.save(path, dtype="bfloat16")
    if path.stat().st_size > MAX_BYTES:
        parser.error(f"{path.name} has {path.stat().st_size:,} bytes; at most {MAX_BYTES:,} ship")
    change = rounding(recipe, exact, skd.load_model(path))
    row = {**measured(options.name, path), "rounding": change}
    file = RESULTS / "pretrained.json"
    rows = json.loads(file.read_text())["weights"] if file.exists() else []
    rows = sorted([*(old for old in rows if old["name"] != row["name"]), row], key=_name)
    lines = [
        "# Weights that come with the package",
        "",
        "Sizes of the files, medians of the times, and the paired difference in percent that",
        "rounding to bfloat16 makes on the validation classes, with its 95 % interval.",
        "",
        f"Machine: {row['machine']}, {row['threads']} threads.",
        "",
        *table(rows),
    ]
    write_report(RESULTS, "pretrained", {"weights": rows}, lines)
    print("\n".join(table([row])))


def _name(row: dict[str, Any]) -> str:
    return str(row["name"])


if __name__ == "__main__":
    main()
