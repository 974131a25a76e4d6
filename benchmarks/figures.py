"""Figures of the committed results in docs/figures: overview, speed, method and paper.

python benchmarks/figures.py
"""

from __future__ import annotations

import json
import statistics
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt

from speed.readme import STEP_ROWS

RESULTS = Path(__file__).parent / "results"
FIGURES = Path(__file__).parents[1] / "docs" / "figures"
BLUE, ORANGE = "#0072b2", "#d55e00"
SHOTS = {"one_shot": "5-way 1-shot", "five_shot": "5-way 5-shot"}
METHODS = ("RFS-simple", "Gen-0", "Gen-1")
COLOURS = ("#666666", BLUE, ORANGE)
MARKERS = ("o", "s", "^")
TICKS = (1, 2, 4, 10, 30, 100)
LINES = ("-", "--", "-.", ":")
OKABE_ITO = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000")
PUBLISHED_STEPS = 65 * 600  # Gen-0 on CIFAR-FS: epochs times steps of 64 images in four rotations
MEASURED_IMAGES, BATCH = 16, 64
HOURS = (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50)


def main() -> None:
    """Draw all."""
    plt.rcParams["svg.hashsalt"] = "skd"  # the same names in the file on every run
    FIGURES.mkdir(exist_ok=True)
    against_torch, engines, runs = (
        json.loads((RESULTS / f"{name}.json").read_text())
        for name in ("pytorch", "engines_avx512", "paper")
    )
    overview(runs["runs"], against_torch, engines)
    speed(against_torch, engines)
    method(json.loads((RESULTS / "method.json").read_text()))
    paper(runs["runs"], against_torch)


def overview(runs: list[dict[str, Any]], report: dict[str, Any], engines: dict[str, Any]) -> None:
    """Draw accuracies next to the published ones, and the speed next to the fastest other."""
    figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.2), layout="constrained")
    known = [run for run in runs if run["published"] and run["seed"] == 0]
    bars = [(run, shots) for run in known for shots in ("one_shot", "five_shot")]
    for place, (run, shots) in enumerate(bars):
        for offset, (mean, ci95), name, colour, hatch in (
            (-0.2, run["published"][shots], "published", "#999999", "//"),
            (0.2, run[shots], "here", BLUE, ""),
        ):
            left.bar(
                place + offset,
                mean,
                0.38,
                yerr=ci95,
                color=colour,
                hatch=hatch,
                edgecolor="white",
                ecolor="black",
                label=name if place == 0 else None,
            )
            left.text(place + offset, mean + 1.5, f"{mean:.1f}", ha="center", fontsize=8)
    names = []
    for run, shots in bars:
        method = run["recipe"].removesuffix(f"-{run['data']}-fast")
        names.append(f"{method}\n{run['data']}\n{SHOTS[shots].removeprefix('5-way ')}")
    left.set_xticks(range(len(bars)), names, fontsize=8)
    left.set(ylabel="5-way accuracy, novel classes (%)", ylim=(50, 100), title="Accuracy")
    left.legend(fontsize=8, loc="upper center", ncols=2)
    rows = [
        (row["work"].replace(", ", "\n", 1), row["ratio"])
        for row in report["results"]
        if row["against"] == "PyTorch" and (row["work"], row["threads"]) in STEP_ROWS
    ]
    rows += [(f"{row['work']}\n({row['fastest_other']})", row["ratio"]) for row in engines["rows"]]
    rows.reverse()
    names, ratios = zip(*rows, strict=True)
    right.barh(range(len(rows)), ratios, color=BLUE, height=0.6)
    for place, ratio in enumerate(ratios):
        right.text(ratio + 0.05, place, f"{ratio:.1f}", va="center", fontsize=8)
    right.set_yticks(range(len(rows)), names, fontsize=7)
    right.axvline(1, color="black", linewidth=0.8, linestyle=":")
    right.set_xlabel("times as fast as PyTorch or the engine named", fontsize=9)
    right.set(
        xlim=(0, 1.15 * max(ratios)),
        title="Speed",
    )
    save(figure, "overview")


Bar = tuple[str, float, dict[str, float]]  # name, ratio, bar and goal


def speed(report: dict[str, Any], engines: dict[str, Any]) -> None:
    """Draw how many times as fast each work is, embeddings as the fastest of several engines."""
    works: list[Bar] = [
        (f"{row['work']}, {threads(row['threads'])}", row["ratio"], row["target"])
        for row in report["results"]
        if row["against"].startswith("PyTorch") and row["unit"] == "seconds"
        if row["group"] != "embed"
    ]
    used = threads(engines["threads"])
    embeddings: list[Bar] = [
        (f"{row['work']}, {used} ({row['fastest_other']})", row["ratio"], row["target"])
        for row in engines["rows"]
    ]
    heights = [len(works) + 2, len(embeddings) + 2]
    figure, (top, bottom) = plt.subplots(
        2,
        figsize=(8, 0.42 * sum(heights)),
        height_ratios=heights,
        sharex=True,
        layout="constrained",
    )
    bars(top, works)
    top.set_title(f"against PyTorch, {report['machine']['processor']}", fontsize=9)
    bars(bottom, embeddings)
    bottom.set_title(f"against the engine named, {engines['machine']['processor']}", fontsize=9)
    largest = max(ratio for _, ratio, _ in (*works, *embeddings))
    bottom.set(xlabel="times as fast (line: bar, dotted: goal)", xlim=(0.8, 1.2 * largest))
    save(figure, "speed")


def threads(count: int) -> str:
    """Return a number of threads in words."""
    return f"{count} thread{'s' if count > 1 else ''}"


def bars(ax: plt.Axes, rows: list[Bar]) -> None:
    """Draw ratios as bars on a logarithmic axis, the first one at the top."""
    ax.set_xscale("log")
    ax.set_xticks(TICKS, [f"{tick}" for tick in TICKS])
    ax.minorticks_off()
    beside = ax.get_yaxis_transform()
    for y, (_, ratio, target) in enumerate(rows):
        ax.barh(y, ratio - 1, left=1, color=BLUE, height=0.6)
        ax.text(1.01, y, f"{ratio:.2f}", transform=beside, va="center", fontsize=8)
        ax.plot([target["bar"]] * 2, [y - 0.4, y + 0.4], color="black")
        ax.plot([target["goal"]] * 2, [y - 0.4, y + 0.4], color="black", linestyle=":")
    ax.axvline(1, color="grey", linewidth=0.8)
    ax.set_yticks(range(len(rows)), [name for name, _, _ in rows], fontsize=8)
    ax.invert_yaxis()


def method(report: dict[str, Any]) -> None:
    """Draw the accuracies of the methods on novel glyphs, seed by seed."""
    figure, axes = plt.subplots(1, 2, figsize=(8, 3), layout="constrained")
    seeds = report["seeds"]
    for ax, shots in zip(axes, ("1-shot", "5-shot"), strict=True):
        for place, name in enumerate(METHODS):
            results = [runs[name]["results"][shots] for runs in seeds.values()]
            ax.errorbar(
                [seed + 0.2 * (place - 1) for seed in range(len(results))],
                [result["mean"] for result in results],
                [result["ci95"] for result in results],
                color=COLOURS[place],
                marker=MARKERS[place],
                linestyle="none",
                capsize=4,
                label=f"{name}, 95 % interval",
            )
        ax.set_xticks(range(len(seeds)), [f"seed {seed}" for seed in seeds])
        ax.set(ylabel="accuracy on novel glyphs (%)", title=f"5-way {shots}")
        ax.grid(axis="y", alpha=0.3)
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=3)
    save(figure, "method")


def paper(runs: list[dict[str, Any]], report: dict[str, Any]) -> None:
    """Draw validation accuracy over hours of training, next to PyTorch's time for Gen-0."""
    figure, ax = plt.subplots(figsize=(8, 4.5), layout="constrained")
    for place, run in enumerate(runs):
        hours, accuracies = zip(*run["curve"], strict=True)
        idle = run["processor_hours"] / run["threads"] / run["hours"]
        hours = [idle * hour for hour in hours]
        ax.plot(
            hours,
            accuracies,
            color=OKABE_ITO[place % len(OKABE_ITO)],
            linestyle=LINES[place // len(OKABE_ITO) % len(LINES)],
            label=f"{run['recipe']}, seed {run['seed']}",
        )
        ax.plot(hours[-1], accuracies[-1], "o", color=OKABE_ITO[place % len(OKABE_ITO)])
    (step,) = (
        statistics.median(row["theirs"])
        for row in report["results"]
        if row["work"] == "Gen-0 step, 32 px, 16 x 4 images" and row["group"] == "gen0"
        if row["threads"] == 2
    )
    published = PUBLISHED_STEPS * step * BATCH / MEASURED_IMAGES / 3600
    ax.axvline(published, color="grey", linestyle=":")
    ax.text(
        published,
        0.02,
        f"PyTorch, gen0-cifar-fs: {published:.0f} h \n{report['machine']['processor']} ",
        transform=ax.get_xaxis_transform(),
        ha="right",
        fontsize=8,
    )
    ax.set_xscale("log")
    ax.set_xticks(HOURS, [f"{tick:g}" for tick in HOURS])
    ax.minorticks_off()
    ax.set(
        xlabel="hours of training: those of the processor, divided by the threads",
        ylabel="5-way 1-shot accuracy on validation classes (%)",
        title="; ".join(sorted({run["machine"] for run in runs})),
    )
    ax.legend(fontsize=8)
    save(figure, "paper")


def save(figure: plt.Figure, name: str) -> None:
    """Write a figure without its date."""
    figure.savefig(FIGURES / f"{name}.svg", metadata={"Date": None})
    plt.close(figure)


if __name__ == "__main__":
    main()
