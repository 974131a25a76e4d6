"""Makes heads.npz: scikit-learn's solutions of the heads that classifier.npz does not hold.

    python Tests/Fixtures/make_heads.py        (needs NumPy and scikit-learn)

Features are those of the episodes of classifier.npz, generated as README.md says.
"""

import io
import math
import zipfile
from pathlib import Path

import numpy as np
from sklearn.linear_model import RidgeClassifier
from sklearn.svm import LinearSVC

FOLDER = Path(__file__).parent
MASK = (1 << 64) - 1
DIMENSIONS = 640
EVERY = 4  # the episodes that are kept: enough of each kind
SAMPLED = 64  # entries of the coefficients


def uniform(name, shape, seed):
    """Return float64 values in [-1, 1): splitmix64 over FNV-1a of the name."""
    state = 0xCBF29CE484222325
    for byte in name.encode():
        state = ((state ^ byte) * 0x100000001B3) & MASK
    with np.errstate(over="ignore"):
        z = np.uint64((state ^ seed) & MASK) + np.arange(math.prod(shape), dtype=np.uint64)
        z = z + np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    words = (z ^ (z >> np.uint64(31))) >> np.uint64(40)
    return (words.astype(np.float64) * 2.0**-23 - 1.0).reshape(shape)


def episode(number, cfg, seed):
    """Return support, labels and query of an episode; features in float64, of unit length."""
    ways, shots, copies, queries, offset, centre = cfg

    def draw(part, rows):
        return uniform(f"episode{number}.{part}", (rows, DIMENSIONS), seed)

    centres = draw("centre", ways) * (centre / 64) + offset / 64
    base = np.repeat(centres, shots, axis=0) + draw("base", ways * shots)
    noise = 0.25 * draw("augment", copies * ways * shots)
    support = np.concatenate([base] * copies) + noise
    query = np.repeat(centres, queries, axis=0) + draw("query", ways * queries)
    labels = np.tile(np.repeat(np.arange(ways), shots), copies)
    return unit(support.astype(np.float32)), labels, unit(query.astype(np.float32))


def unit(rows):
    """Return rows of unit length, rounded to float32."""
    lengths = np.linalg.norm(rows.astype(np.float64), axis=1, keepdims=True)
    return (rows / lengths).astype(np.float32).astype(np.float64)


def gap(scores):
    """Return the best minus the second best score of each row."""
    ordered = np.sort(scores, axis=1)
    return ordered[:, -1] - ordered[:, -2]


def solutions(number, cfg, seed):
    """Yield the arrays of an episode by key."""
    support, labels, query = episode(number, cfg, seed)
    for name, head in (
        ("ridge", RidgeClassifier()),
        ("svc", LinearSVC(tol=1e-10, max_iter=1_000_000, random_state=0)),
    ):
        head.fit(support, labels)
        scores = head.decision_function(query)
        index = np.sort(np.random.default_rng(number).choice(head.coef_.size, SAMPLED, False))
        yield f"{name}.coef.idx", index
        yield f"{name}.coef.val", head.coef_.reshape(-1)[index]
        yield f"{name}.intercept", head.intercept_
        yield f"{name}.pred", scores.argmax(axis=1)
        yield f"{name}.gap", gap(scores)
    means = np.stack([support[labels == label].mean(axis=0) for label in range(cfg[0])])
    squares = ((query[:, None] - means[None]) ** 2).sum(axis=2)
    cosines = query @ (means / np.linalg.norm(means, axis=1, keepdims=True)).T
    for name, scores in (("centroid", -squares), ("centroid_cosine", cosines)):
        yield f"{name}.pred", scores.argmax(axis=1)
        yield f"{name}.gap", gap(scores)


def main():
    """Write the file: a stored zip with fixed dates, so that equal content gives equal bytes."""
    with np.load(FOLDER / "classifier.npz") as golden:
        count, seed = int(golden["count"]), int(golden["seed.data"])
        chosen = range(0, count, EVERY)
        arrays = {"episodes": np.array(chosen, dtype=np.int64)}
        for number in chosen:
            cfg = golden[f"episode{number}.cfg"].tolist()
            for key, array in solutions(number, cfg, seed):
                kind = "<i8" if array.dtype.kind == "i" else "<f4"
                arrays[f"episode{number}.{key}"] = array.astype(kind)
    with zipfile.ZipFile(FOLDER / "heads.npz", "w", zipfile.ZIP_STORED) as archive:
        for key, array in arrays.items():
            buffer = io.BytesIO()
            np.lib.format.write_array(buffer, array, version=(1, 0), allow_pickle=False)
            entry = zipfile.ZipInfo(f"{key}.npy", (1980, 1, 1, 0, 0, 0))
            archive.writestr(entry, buffer.getvalue())


if __name__ == "__main__":
    main()
