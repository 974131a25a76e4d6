"""How well probabilities are calibrated, and unknown classes rejected.

    python benchmarks/calibration.py NAME=FILE...       # benchmarks/results/calibration.{json,md}

Each FILE holds the features of ``skd embed``. For every head, `CalibratedClassifier` is fitted to
the support sets of 5-way episodes, and the expected calibration error of all queries together is
compared with that of the softmax of the scores. The known-class score and its threshold are
measured on episodes with five more classes, of which no example is given.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import skd
from speed.report import markdown_table, shown_command, write_report

ROOT = Path(__file__).resolve().parents[1]
HEADS = ("logistic", "nearest_centroid", "nearest_centroid_cosine", "ridge", "linear_svc")
WAYS, QUERIES, SEED = 5, 15, 0
SHOTS = (1, 2, 5, 10)
BAR, GOAL = 0.05, 0.03  # of the calibration error with five shots


def main() -> None:
    """Measure, and write the report."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("files", nargs="+", metavar="NAME=FILE")
    parser.add_argument("--episodes", type=int, default=600)
    parser.add_argument("--output", type=Path, default=ROOT / "benchmarks/results")
    arguments = parser.parse_args()
    sets = {}
    for entry in arguments.files:
        name, _, path = entry.partition("=")
        sets[name] = skd.load_features(path)
    calibration = [
        calibrated(name, found, shots, arguments.episodes)
        for name, found in sets.items()
        for shots in SHOTS
    ]
    rejection = [
        rejected(name, found, shots, arguments.episodes)
        for name, found in sets.items()
        for shots in SHOTS
    ]
    content = {
        "episodes": arguments.episodes,
        "features": {name: found.sha256 for name, found in sets.items()},
        "calibration": [row for rows in calibration for row in rows],
        "rejection": rejection,
    }
    words = [f"{name}={Path(entry.partition('=')[2]).name}" for name, entry in
             zip(sets, arguments.files, strict=True)]  # fmt: skip
    command = shown_command(["calibration.py", *words])
    write_report(arguments.output, "calibration", content, lines(content, command))


def episodes(
    found: skd.FeatureSet, ways: int, shots: int, count: int
) -> tuple[NDArray[np.float32], skd.Episodes]:
    """Return unit features, and episodes of them."""
    sampler = skd.EpisodeSampler(found.labels, n_way=ways, n_shot=shots, n_query=QUERIES, seed=SEED)
    return skd.l2_normalize(found.features), sampler.sample(0, count)


def calibrated(name: str, found: skd.FeatureSet, shots: int, count: int) -> list[dict[str, Any]]:
    """Return the calibration error of each head, before and after."""
    rows, drawn = episodes(found, WAYS, shots, count)
    labels = np.arange(WAYS).repeat(shots)
    truth = np.tile(np.arange(WAYS).repeat(QUERIES), count)
    result = []
    for head in HEADS:
        tables: dict[str, list[NDArray[np.float64]]] = {"calibrated": [], "plain": []}
        for support, query in zip(drawn.support, drawn.query, strict=True):
            fitted = skd.CalibratedClassifier(head).fit(rows[support.ravel()], labels)
            found_rows = rows[query.ravel()]
            tables["calibrated"].append(fitted.predict_proba(found_rows))
            scores: Any = fitted.head_
            tables["plain"].append(softmax(scores.decision_function(found_rows)))
        errors = {
            kind: skd.expected_calibration_error(np.concatenate(table), truth)
            for kind, table in tables.items()
        }
        right = np.concatenate(tables["calibrated"]).argmax(axis=1) == truth
        result.append(
            {
                "features": name,
                "shots": shots,
                "head": head,
                "accuracy": 100 * right.mean(),
                **errors,
            }
        )
    return result


def softmax(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return probabilities without a temperature."""
    powers = np.exp(scores - scores.max(axis=1, keepdims=True))
    table: NDArray[np.float64] = powers / powers.sum(axis=1, keepdims=True)
    return table


def rejected(name: str, found: skd.FeatureSet, shots: int, count: int) -> dict[str, Any]:
    """Return how well known and unknown classes are told apart."""
    rows, drawn = episodes(found, 2 * WAYS, shots, count)
    labels = np.arange(WAYS).repeat(shots)
    values: dict[str, list[float]] = {"auroc": [], "baseline": [], "known": [], "unknown": []}
    for support, query in zip(drawn.support, drawn.query, strict=True):
        own = rows[support[:WAYS].ravel()]
        centroids = skd.NearestCentroid().fit(own, labels).centroids_
        threshold = skd.rejection_threshold(own, labels)
        inside, outside = (rows[part.ravel()] for part in (query[:WAYS], query[WAYS:]))
        known, unknown = (skd.open_set_scores(part, centroids) for part in (inside, outside))
        values["auroc"].append(skd.open_set_quality(known, unknown).auroc)
        baseline = (
            skd.open_set_scores(part, centroids, score="max_probability")
            for part in (inside, outside)
        )
        values["baseline"].append(skd.open_set_quality(*baseline).auroc)
        values["known"].append(100 * float((known >= threshold).mean()))
        values["unknown"].append(100 * float((unknown < threshold).mean()))
    means = {key: skd.mean_ci95(value) for key, value in values.items()}
    return {"features": name, "shots": shots, **{key: list(mean) for key, mean in means.items()}}


def lines(content: dict[str, Any], command: str) -> list[str]:
    """Return the report as lines of Markdown."""
    count = content["episodes"]
    errors = [
        (
            row["features"],
            str(row["shots"]),
            row["head"],
            f"{row['accuracy']:.1f}",
            f"{row['plain']:.3f}",
            f"{row['calibrated']:.3f}",
            verdict(row),
        )
        for row in content["calibration"]
    ]
    kinds = ("auroc", "baseline", "known", "unknown")
    rates = [
        (row["features"], str(row["shots"]), *(interval(row[kind]) for kind in kinds))
        for row in content["rejection"]
    ]
    return [
        "# Calibration and rejection",
        "",
        f"`{command}`; skd {skd.__version__}, instruction_set {skd.instruction_set()}.",
        "",
        "## Expected calibration error",
        "",
        f"{count} episodes of {WAYS} novel classes with {QUERIES} queries each, L2-normalised "
        "features without copies, 15 bins over all queries together. Plain: softmax of the scores. "
        "Calibrated: temperature by leave-one-out over the support set. With 5 shots the bar is "
        f"{BAR}, and the goal {GOAL}.",
        "",
        *markdown_table(
            ("features", "shots", "head", "accuracy, %", "plain", "calibrated", "met"), errors
        ),
        "",
        "## Rejection of unknown classes",
        "",
        f"{count} episodes with {WAYS} known and {WAYS} unknown classes. AUROC of the cosine with "
        "the nearest class mean, and of the largest probability of a prototypical network; shares "
        "of the queries that the threshold of known_rate=0.95 accepts and rejects. All in percent, "
        "with 95 % intervals over episodes.",
        "",
        *markdown_table(
            (
                "features",
                "shots",
                "AUROC",
                "AUROC of the largest probability",
                "known accepted",
                "unknown rejected",
            ),
            rates,
        ),
    ]


def verdict(row: dict[str, Any]) -> str:
    """Say whether an error with five shots meets the goal, the bar, or neither."""
    if row["shots"] != 5:
        return "-"
    error = row["calibrated"]
    return "goal" if error <= GOAL else "bar" if error < min(BAR, row["plain"]) else "no"


def interval(value: list[float]) -> str:
    """Return a mean with its interval."""
    return f"{value[0]:.1f} ± {value[1]:.1f}"


if __name__ == "__main__":
    main()
