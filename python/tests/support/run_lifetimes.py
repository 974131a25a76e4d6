"""Makes and frees objects of every kind in random order: ``run_lifetimes.py [CYCLES [SEED]]``.

After a third of the cycles neither the memory of the process nor that of the library's buffers may
grow. ``make sanitize`` runs 10,000 cycles.
"""

import ctypes
import gc
import random
import resource
import sys
from pathlib import Path

import numpy as np

import skd

RNG = np.random.default_rng(0)
IMAGES = RNG.standard_normal((4, 16, 16, 3)).astype(np.float32)
PIXELS = RNG.integers(0, 256, (12, 16, 16, 3), dtype=np.uint8)
LABELS = np.array([0, 1, 0, 1])
FEATURES = RNG.standard_normal((6, 5))
CLASSES = np.array([0, 1, 2, 0, 1, 2])
GROWTH = 1 << 20  # bytes that the allocators of Python, NumPy and C may keep to themselves


def model(architecture="resnet12", **options):
    options = {"num_classes": 2, "image_size": 16, "widths": (4, 4, 4, 4), **options}
    made = skd.create_model(architecture, **options)
    made.normalization = (0.5, 0.5)
    return made


def evaluated():
    made = model("convnet4")
    return [made, made.embed(PIXELS), made.clone(), made.state_dict()]


def stages():
    made = model("seresnet12")
    return [made, *made.stage_outputs(IMAGES)]


def supervised():
    made = model("resnet18")
    trainer = skd.Supervised(made, terms=[skd.Term("zero", lambda r, *_: (0.0, 0 * r))])
    trainer.step(IMAGES, LABELS)
    return [made, trainer, trainer.gradients(), trainer.state_dict()]


def generation0():
    trainer = skd.Gen0(model(use_se=True))
    trainer.loss(IMAGES, LABELS)
    return [trainer, trainer.model, trainer.gradients()]


def generation1():
    teacher = model()
    trainer = skd.Gen1(teacher.clone(), teacher)
    trainer.step(IMAGES, None)
    return [teacher, trainer, trainer.model.state_dict(), trainer.state_dict()]


def distilled():
    trainer = skd.Distilled(model(precision="bfloat16"), model())
    trainer.step(IMAGES, LABELS)
    return [trainer.teacher, trainer, trainer.gradients()]


def wide():
    made = skd.create_model("wrn_28_10", num_classes=2, image_size=8, widths=(4, 4, 4))
    return [made, made.logits(IMAGES[:, :8, :8])]


def refused():
    """Calls that fail, within the step too."""
    made = model()
    trainer = skd.Supervised(made, terms=[skd.Term("bad", lambda r, *_: (float("nan"), 0 * r))])
    errors = []
    for call in (
        lambda: trainer.step(IMAGES, LABELS),
        lambda: trainer.step(IMAGES, LABELS + 5),
        lambda: trainer.step_memory(-1),
        lambda: made.load_state_dict({}),
        lambda: model(widths=(4,)),
    ):
        try:
            call()
        except (ValueError, skd.SKDError) as error:
            errors.append(error.with_traceback(None))
    return [made, trainer, errors]


def classifiers():
    return [
        kind().fit(FEATURES, CLASSES)
        for kind in (
            skd.LogisticRegression,
            skd.RidgeClassifier,
            skd.LinearSVC,
            skd.NearestCentroid,
            skd.NearestNeighbor,
        )
    ]


def few_shot():
    made = model("convnet4")
    classifier = skd.FewShotClassifier(made, n_support_copies=1, support_augmentation="none")
    return [made, classifier.fit(PIXELS[:4], LABELS), classifier.predict(PIXELS)]


def episodes():
    split = skd.datasets.from_arrays(PIXELS, np.arange(12) % 3)
    made = model("convnet4")
    result = skd.evaluate(made, split, n_way=2, n_query=2, n_episodes=3)
    return [split, skd.EpisodeSampler(split.labels, n_way=2, n_query=2), result, made]


def operations():
    weight = np.ones((4, 3, 3, 3), dtype=np.float32)
    return [
        skd.ops.conv2d(IMAGES, weight, padding=1),
        skd.augment(PIXELS, seed=1, mean=0.5, std=0.5),
        skd.losses.cross_entropy(FEATURES, CLASSES),
    ]


KINDS = (
    evaluated, stages, supervised, generation0, generation1, distilled, wide, refused,
    classifiers, few_shot, episodes, operations,
)  # fmt: skip


def resident_bytes():
    """Return the memory of the process; the most so far where the system tells no more.

    What the C library keeps of freed memory goes back first, if it can: it comes and goes by tens
    of megabytes.
    """
    gc.collect()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
    statm = Path("/proc/self/statm")
    if statm.exists():
        return int(statm.read_text().split()[1]) * resource.getpagesize()
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def run(cycles, seed):
    """Make and free; raise an AssertionError on growth."""
    chance = random.Random(seed)
    gc.collect()
    operations()  # the library keeps their scratch memory for the next ones
    before, alive = skd.live_memory(), []
    warm_up = cycles // 3
    resident = 0
    for cycle in range(cycles):
        if cycle == warm_up:
            alive.clear()
            resident = resident_bytes()
        kind = KINDS[cycle % len(KINDS)] if cycle < len(KINDS) else chance.choice(KINDS)
        alive.extend(kind())
        chance.shuffle(alive)
        del alive[: max(len(alive) - 12, 0)]
    alive.clear()
    growth = resident_bytes() - resident
    left = skd.live_memory() - before
    assert left == 0, f"the library's buffers hold {left} bytes more after {cycles} cycles"
    assert growth < GROWTH, f"the process holds {growth} bytes more after {cycles} cycles"
    return growth


if __name__ == "__main__":
    numbers = [int(argument) for argument in sys.argv[1:]]
    count, seed = (*numbers, *(10_000, 0)[len(numbers) :])
    print(f"{count} cycles, {run(count, seed)} bytes more resident than after the first third")
