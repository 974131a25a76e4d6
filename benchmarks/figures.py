"""Figures of the committed results: docs/figures/speed.svg and method.svg.

python benchmarks/figures.py
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt

RESULTS = Path(__file__).parent / "results"
FIGURES = Path(__file__).parents[1] / "docs" / "figures"
BLUE, ORANGE = "#0072b2", "#d55e00"
METHODS = ("RFS-simple", "Gen-0", "Gen-1")
COLOURS = ("#999999", BLUE, ORANGE)
HATCHES = ("", "//", "..")
TICKS = (1, 2, 4, 10, 30, 100)


def main() -> None:
    """Draw both."""
    plt.rcParams["svg.hashsalt"] = "skd"  # the same names in the file on every run
    FIGURES.mkdir(exist_ok=True)
    speed(json.loads((RESULTS / "pytorch.json").read_text()))
    method(json.loads((RESULTS / "method.json").read_text()))


def speed(report: dict[str, Any]) -> None:
    """Draw how many times faster than PyTorch each work is, with its bar and its goal."""
    rows = [
        row
        for row in report["results"]
        if row["against"].startswith("PyTorch") and row["unit"] == "seconds"
    ][::-1]
    figure, ax = plt.subplots(figsize=(8, 0.42 * len(rows) + 1), layout="constrained")
    ax.barh(range(len(rows)), [row["ratio"] - 1 for row in rows], left=1, color=BLUE, height=0.6)
    beside = ax.get_yaxis_transform()
    for y, row in enumerate(rows):
        ax.text(1.01, y, f"{row['ratio']:.2f}", transform=beside, va="center", fontsize=8)
        ax.plot([row["target"]["bar"]] * 2, [y - 0.4, y + 0.4], color="black")
        ax.plot([row["target"]["goal"]] * 2, [y - 0.4, y + 0.4], color="black", linestyle=":")
    ax.axvline(1, color="grey", linewidth=0.8)
    threads = ("thread", "threads")
    names = [f"{r['work']}, {r['threads']} {threads[r['threads'] > 1]}" for r in rows]
    ax.set_yticks(range(len(rows)), names, fontsize=8)
    ax.set_xscale("log")
    ax.set_xticks(TICKS, [f"{tick}" for tick in TICKS])
    ax.minorticks_off()
    largest = max(row["ratio"] for row in rows)
    ax.set(xlabel="times as fast as PyTorch (line: bar, dotted: goal)", xlim=(0.8, 1.2 * largest))
    ax.set_title(report["machine"]["processor"], fontsize=9)
    save(figure, "speed")


def method(report: dict[str, Any]) -> None:
    """Draw the accuracies of the methods on novel glyphs, seed by seed."""
    figure, axes = plt.subplots(1, 2, figsize=(8, 3), layout="constrained")
    seeds = report["seeds"]
    for ax, shots in zip(axes, ("1-shot", "5-shot"), strict=True):
        for place, name in enumerate(METHODS):
            results = [runs[name]["results"][shots] for runs in seeds.values()]
            ax.bar(
                [seed + 0.27 * (place - 1) for seed in range(len(results))],
                [result["mean"] for result in results],
                0.25,
                yerr=[result["ci95"] for result in results],
                color=COLOURS[place],
                hatch=HATCHES[place],
                edgecolor="white",
                ecolor="black",
                label=name,
            )
        low = min(
            runs[name]["results"][shots]["mean"] for runs in seeds.values() for name in METHODS
        )
        ax.set_xticks(range(len(seeds)), [f"seed {seed}" for seed in seeds])
        ax.set(ylabel="accuracy (%)", title=f"5-way {shots}", ylim=(low - 4, None))
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=3)
    save(figure, "method")


def save(figure: plt.Figure, name: str) -> None:
    """Write a figure without its date."""
    figure.savefig(FIGURES / f"{name}.svg", metadata={"Date": None})


if __name__ == "__main__":
    main()
