"""Models and classifiers go through pickle, copy, joblib and the workers of scikit-learn."""

import copy
import io
import pickle
from pathlib import Path

import joblib
import numpy as np
import pytest
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, cross_val_score

import skd
import skd.errors
import skd.recipes

COPIES = {
    **{
        f"pickle {protocol}": lambda value, p=protocol: pickle.loads(pickle.dumps(value, p))
        for protocol in range(pickle.HIGHEST_PROTOCOL + 1)
    },
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
    "joblib": lambda value: through_joblib(value),
    "joblib, compressed": lambda value: through_joblib(value, compress=3),
}


def through_joblib(value, **options):
    stream = io.BytesIO()
    joblib.dump(value, stream, **options)
    stream.seek(0)
    return joblib.load(stream)


@pytest.fixture
def model(make_model):
    made = make_model("convnet4", widths=(4, 4, 4, 4), drop_rate=0.1)
    made.normalization = (0.5, 0.25)
    return made


@pytest.fixture
def examples(rng):
    labels = np.tile(["a", "b", "c"], 4)
    base = rng.integers(0, 256, (3, 16, 16, 3))
    images = np.tile(base, (4, 1, 1, 1)) + rng.integers(-20, 21, (12, 16, 16, 3))
    return np.clip(images, 0, 255).astype(np.uint8), labels


@pytest.mark.parametrize("way", COPIES)
def test_a_copied_model_is_equal_and_shares_nothing(model, way, examples):
    copied = COPIES[way](model)
    assert copied.config == model.config
    assert copied.normalization == model.normalization
    for name, array in model.state_dict().items():
        np.testing.assert_array_equal(copied.state_dict()[name], array, name)
        assert not np.shares_memory(copied.state_dict()[name], array)
    before = model.logits(examples[0])
    skd.Supervised(copied).step(examples[0], np.arange(12) % 3)
    np.testing.assert_array_equal(model.logits(examples[0]), before)


def test_equal_models_have_equal_hashes_of_joblib(model, make_model):
    assert joblib.hash(model) == joblib.hash(model.clone())
    other = make_model("convnet4", widths=(4, 4, 4, 4), drop_rate=0.1, seed=1)
    assert joblib.hash(model) != joblib.hash(other)


@pytest.mark.parametrize("architecture", ["resnet12", "seresnet12", "wrn_28_10"])
def test_models_of_every_kind_are_pickled(make_model, architecture):
    widths = (4, 4, 4) if architecture == "wrn_28_10" else (4, 4, 4, 4)
    made = make_model(architecture, widths=widths, precision="bfloat16")
    copied = pickle.loads(pickle.dumps(made))
    assert copied.config == made.config
    assert copied.normalization is None


@pytest.mark.parametrize("way", COPIES)
@pytest.mark.parametrize("head", ["logistic", "nearest_centroid_cosine", "linear_svc"])
def test_a_copied_classifier_predicts_alike(model, examples, way, head):
    classifier = skd.FewShotClassifier(model, head=head).fit(*examples)
    copied = COPIES[way](classifier)
    np.testing.assert_array_equal(copied.predict(examples[0]), classifier.predict(examples[0]))
    assert copied.get_params().keys() == classifier.get_params().keys()


@pytest.mark.parametrize("way", COPIES)
def test_a_classifier_without_a_fit_is_copied(model, way):
    copied = COPIES[way](skd.FewShotClassifier(model, head="ridge", seed=4))
    assert (copied.head, copied.seed) == ("ridge", 4)
    with pytest.raises(skd.NotFittedError):
        copied.predict(np.zeros((1, 16, 16, 3)))


def test_a_pickle_holds_the_bytes_of_a_checkpoint_and_their_checks(model, tmp_path):
    pickled = pickle.dumps(model)
    model.save(tmp_path / "model.safetensors")
    saved = (tmp_path / "model.safetensors").read_bytes()
    start = pickled.index(saved)
    assert skd.load_model(tmp_path / "model.safetensors").config == model.config
    for place in np.linspace(0, len(saved) - 1, 40).astype(int).tolist():
        damaged = bytearray(pickled)
        damaged[start + place] ^= 1
        with pytest.raises(ValueError, match=r"The pickled model is damaged: .*checksum"):
            pickle.loads(bytes(damaged))


def test_two_workers_search_and_validate(model, examples):
    search = GridSearchCV(
        skd.FewShotClassifier(model, n_support_copies=1),
        {"head": ["logistic", "nearest_centroid"]},
        cv=2,
        n_jobs=2,
        error_score="raise",
    ).fit(*examples)
    alone = clone(search).set_params(n_jobs=1).fit(*examples)
    np.testing.assert_array_equal(
        search.cv_results_["mean_test_score"], alone.cv_results_["mean_test_score"]
    )
    scores = cross_val_score(search.best_estimator_, *examples, cv=2, n_jobs=2)
    assert scores.shape == (2,)


def failing(call):
    """Run in a worker; what it raises comes back pickled."""
    call()


def test_errors_come_back_from_workers_as_they_are(model):
    classifier = skd.FewShotClassifier(model)
    images = np.zeros((1, 16, 16, 3))
    with pytest.raises(skd.NotFittedError, match="call fit first"):
        joblib.Parallel(n_jobs=2)(
            joblib.delayed(failing)(lambda: classifier.predict(images)) for _ in range(2)
        )


@pytest.mark.parametrize(
    "error",
    [
        skd.errors.NonFiniteLossError("m", step=3, terms={"a": 1.0}, checkpoint=Path("c")),
        skd.errors.WriteError(28, "No space", "file", "It is unchanged.", checkpoint=Path("c")),
        skd.errors.DataError("m"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_errors_are_pickled_with_what_they_tell(error):
    copied = pickle.loads(pickle.dumps(error))
    assert type(copied) is type(error)
    assert str(copied) == str(error)
    assert vars(copied) == vars(error)


def test_warnings_of_convergence_are_pickled(rng):
    features, labels = rng.standard_normal((40, 5)), np.arange(40) % 3
    with pytest.warns(skd.errors.ConvergenceWarning) as caught:
        skd.LogisticRegression(max_iter=1).fit(features, labels)
    copied = pickle.loads(pickle.dumps(caught[0].message))
    assert type(copied) is caught[0].category
    assert str(copied) == str(caught[0].message)


def test_records_and_data_are_pickled(make_split, model):
    split = make_split()
    result = skd.evaluate(model, split, n_way=2, n_query=2, n_episodes=3)
    for value in (
        split,
        skd.datasets.FewShotData(split, split, split),
        skd.SGD(lr=0.1),
        skd.recipes.load("gen0-glyphs"),
    ):
        assert repr(pickle.loads(pickle.dumps(value))) == repr(value)
    sampler = skd.EpisodeSampler(split.labels, n_way=2, n_shot=1, n_query=2)
    for mine, own in zip(
        pickle.loads(pickle.dumps(sampler)).sample(0, 3), sampler.sample(0, 3), strict=True
    ):
        np.testing.assert_array_equal(mine, own)
    assert str(copy.deepcopy(result)) == str(result)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(split)).images, split.images)


@pytest.mark.parametrize("way", COPIES)
def test_a_trainer_says_what_can_be_pickled_instead(make_model, way):
    with pytest.raises(TypeError, match=r"A Gen0 cannot be pickled .* its model, keep"):
        COPIES[way](skd.Gen0(make_model()))
