"""Wrong images, labels, augmentations and episodes raise an error that names them."""

import numpy as np
import pytest
from bad_input import NAN, assert_refused

import skd
from skd.augmentation import CHOICES

IMAGES = np.zeros((2, 4, 4, 3), dtype=np.float32)
PIXELS = np.zeros((2, 4, 4, 3), dtype=np.uint8)
ZEROS = np.zeros(2, dtype=np.int64)

WRONG_DATA = {
    "from_arrays with names in one str": (
        TypeError,
        "'class_names'",
        lambda: skd.datasets.from_arrays(PIXELS, [0, 1], class_names="ab"),
    ),
    "a Split with few labels": (
        ValueError,
        "'labels'",
        lambda: skd.datasets.Split(PIXELS, ZEROS[:1], ZEROS[:1], ("a",), (0.0,) * 3, (1.0,) * 3),
    ),
    "a Split of floats": (
        TypeError,
        "'images'",
        lambda: skd.datasets.Split(IMAGES, ZEROS, ZEROS[:1], ("a",), (0.0,) * 3, (1.0,) * 3),
    ),
    "augment with flip in words": (
        TypeError,
        "'flip'",
        lambda: skd.augment(PIXELS, seed=0, flip="no"),
    ),
    "augment of floats": (TypeError, "'images'", lambda: skd.augment(IMAGES, seed=0)),
    "augment of oblong images": (
        ValueError,
        "'images'",
        lambda: skd.augment(PIXELS[:, :3], seed=0),
    ),
    "augment in an unknown mode": (
        ValueError,
        "'crop_flip'",
        lambda: skd.augment(PIXELS, seed=0, mode="jitter"),
    ),
    "augment colours of grey images": (
        ValueError,
        "'mode'",
        lambda: skd.augment(PIXELS[..., :1], seed=0),
    ),
    "augment with std 0": (ValueError, "'std'", lambda: skd.augment(PIXELS, seed=0, std=0)),
    "augment to no size": (ValueError, "'size'", lambda: skd.augment(PIXELS, seed=0, size=0)),
    "augment into float64": (
        TypeError,
        "'out'",
        lambda: skd.augment(PIXELS, seed=0, out=np.empty(PIXELS.shape)),
    ),
    "augment into a strided array": (
        ValueError,
        "'out'",
        lambda: skd.augment(PIXELS, seed=0, out=np.asfortranarray(IMAGES)),
    ),
    "apply_augmentation of tuples": (
        TypeError,
        "'choices'",
        lambda: skd.apply_augmentation(PIXELS, [(0, 0)]),
    ),
    "apply_augmentation outside the image": (
        ValueError,
        "top",
        lambda: skd.apply_augmentation(
            PIXELS, np.array([(99, 0, 0, (-1,) * 3, (1,) * 3)] * 2, dtype=CHOICES)
        ),
    ),
    "apply_augmentation with an unknown operation": (
        ValueError,
        "operation",
        lambda: skd.apply_augmentation(
            PIXELS, np.array([(0, 0, 0, (7, -1, -1), (1,) * 3)] * 2, dtype=CHOICES)
        ),
    ),
    "apply_augmentation with a factor NaN": (
        ValueError,
        "factor",
        lambda: skd.apply_augmentation(
            PIXELS, np.array([(0, 0, 0, (0, 1, 2), (NAN,) * 3)] * 2, dtype=CHOICES)
        ),
    ),
    "an unknown data set": (ValueError, "'glyphs'", lambda: skd.datasets.load("mnist")),
    "from_arrays with few labels": (
        ValueError,
        "'labels'",
        lambda: skd.datasets.from_arrays(PIXELS, [0]),
    ),
    "from_arrays of values beyond 255": (
        ValueError,
        "'images'",
        lambda: skd.datasets.from_arrays(PIXELS.astype(int) + 300, [0, 1]),
    ),
    "from_arrays without images": (
        ValueError,
        "'images'",
        lambda: skd.datasets.from_arrays(PIXELS[:0], []),
    ),
    "from_arrays with few names": (
        ValueError,
        "'class_names'",
        lambda: skd.datasets.from_arrays(PIXELS, [0, 1], class_names=["a"]),
    ),
}


WRONG_EVALUATIONS = {
    "EpisodeSampler without labels": (ValueError, "'labels'", lambda: skd.EpisodeSampler([])),
    "EpisodeSampler with many ways": (
        ValueError,
        "'n_way'",
        lambda: skd.EpisodeSampler([0] * 20, n_way=2**60),
    ),
    "EpisodeSampler with many queries": (
        ValueError,
        "'n_query'",
        lambda: skd.EpisodeSampler([0] * 20, n_way=1, n_query=20),
    ),
    "EpisodeSampler with a class of few images": (
        ValueError,
        "class 7 has 2",
        lambda: skd.EpisodeSampler([3] * 20 + [7] * 2, n_way=2),
    ),
    "EpisodeSampler from a negative episode": (
        ValueError,
        "'first'",
        lambda: skd.EpisodeSampler([0] * 20, n_way=1).sample(-1, 1),
    ),
    "LogisticRegression with C 0": (
        ValueError,
        "'C'",
        lambda: skd.LogisticRegression(C=0).fit([[0.0], [1.0]], [0, 1]),
    ),
    "LogisticRegression of NaN": (
        ValueError,
        "'X'",
        lambda: skd.LogisticRegression().fit([[NAN], [1.0]], [0, 1]),
    ),
    "LogisticRegression of one class": (
        ValueError,
        "'y'",
        lambda: skd.LogisticRegression().fit([[0.0], [1.0]], [3, 3]),
    ),
    "LogisticRegression before fit": (
        skd.SKDError,
        "fit",
        lambda: skd.LogisticRegression().predict([[1.0]]),
    ),
    "LogisticRegression with other features": (
        ValueError,
        "'X'",
        lambda: skd.LogisticRegression().fit([[0.0], [1.0]], [0, 1]).predict([[1.0, 2.0]]),
    ),
    "mean_ci95 of nothing": (ValueError, "'values'", lambda: skd.mean_ci95([])),
    "evaluate_features of NaN": (
        ValueError,
        "'features'",
        lambda: skd.evaluate_features([[NAN]] * 20, [0] * 20, n_way=1),
    ),
    "evaluate_features with an unknown classifier": (
        ValueError,
        "'nearest_centroid'",
        lambda: skd.evaluate_features(np.eye(40), [0, 1] * 20, n_way=2, classifier="svm"),
    ),
}


@pytest.mark.parametrize("case", {**WRONG_DATA, **WRONG_EVALUATIONS})
def test_wrong_argument_is_named(case):
    assert_refused(*{**WRONG_DATA, **WRONG_EVALUATIONS}[case])
