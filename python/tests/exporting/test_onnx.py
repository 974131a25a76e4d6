"""Files of `Model.to_onnx`, run by ONNX Runtime."""

import sys

import numpy as np
import onnx
import onnxruntime
import pytest

import skd

WIDTHS = {"wrn_28_10": (4, 8, 8)}
NORMALIZATION = ((0.4, 0.5, 0.6), (0.2, 0.3, 0.25))
#: Largest difference, relative to the largest value: both sum float32 products in other orders.
CLOSE = 1e-5


@pytest.fixture
def out(tmp_path):
    return tmp_path / "model.onnx"


@pytest.fixture
def trained(make_model, rng):
    """Return a function that creates a model whose batch norms have seen images."""

    def make(architecture="resnet12", **options):
        options = {"widths": WIDTHS.get(architecture, (8, 8, 16, 16)), **options}
        model = make_model(architecture, **options)
        state = model.snapshot()
        for name, array in state.items():
            if name.endswith("running_var"):
                array += rng.random(array.shape).astype(np.float32)
            elif array.ndim == 1:  # weights and biases of batch norms, biases, running means
                array += 0.2 * rng.standard_normal(array.shape).astype(np.float32)
        model.load_state_dict(state)
        if model.input_channels == 3:
            model.normalization = NORMALIZATION
        return model

    return make


@pytest.fixture
def pixels(rng):
    return rng.integers(0, 256, (12, 16, 16, 3), dtype=np.uint8)


def run(path, images):
    """Return {output: array} of ONNX Runtime."""
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    return dict(zip(names, session.run(names, {"images": images}), strict=True))


def assert_close(found, expected):
    assert found.shape == expected.shape
    np.testing.assert_allclose(found, expected, rtol=0, atol=CLOSE * max(1, abs(expected).max()))


@pytest.mark.parametrize("architecture", skd.list_models())
def test_every_backbone_gives_what_the_model_gives(trained, pixels, out, architecture):
    model = trained(architecture)
    model.to_onnx(out)
    found = run(out, pixels)
    assert set(found) == {"embedding", "logits"}
    assert_close(found["embedding"], model.embed(pixels))
    assert_close(found["logits"], model.logits(pixels))


@pytest.mark.parametrize(
    ("architecture", "options"),
    [
        ("resnet18", {"use_se": True, "image_size": 19}),
        ("convnet4", {"input_channels": 1, "image_size": 11}),
        ("wrn_28_10", {"input_channels": 4, "image_size": 9}),
    ],
)
def test_odd_sides_gates_and_other_channels(trained, rng, out, architecture, options):
    channels = options.get("input_channels", 3)
    model = trained(architecture, **options, widths=WIDTHS.get(architecture, (4, 4, 8, 8)))
    model.normalization = None
    side = model.image_size
    images = rng.standard_normal((3, side, side, channels)).astype(np.float32)
    model.to_onnx(out)
    assert_close(run(out, images)["embedding"], model.embed(images))


def test_the_weights_that_come_along(rng, out):
    model = skd.load_pretrained("photos-84")
    images = rng.integers(0, 256, (2, 84, 84, 3), dtype=np.uint8)
    model.to_onnx(out)
    assert_close(run(out, images)["embedding"], model.embed(images))


def test_the_input_is_uint8_where_the_model_can_normalise(trained, pixels, out):
    model = trained()
    model.to_onnx(out, input_dtype="float32")
    mean, std = (np.array(row, np.float32) for row in NORMALIZATION)
    floats = (pixels.astype(np.float32) / 255 - mean) / std
    assert_close(run(out, floats)["embedding"], model.embed(pixels))
    model.normalization = None
    model.to_onnx(out)
    assert_close(run(out, floats)["embedding"], model.embed(floats))
    with pytest.raises(ValueError, match=r"'input_dtype' parameter of Model\.to_onnx must be 'flo"):
        model.to_onnx(out, input_dtype="uint8")


def test_any_number_of_images_and_no_batch_norm(trained, pixels, out):
    trained().to_onnx(out)
    for count in (1, 5):
        assert run(out, pixels[:count])["embedding"].shape == (count, 16)
    graph = onnx.load(out).graph
    assert "BatchNormalization" not in {node.op_type for node in graph.node}


def test_equal_models_give_equal_bytes_and_their_hash(trained, make_split, out, tmp_path):
    model, other = trained(), tmp_path / "other.onnx"
    model.to_onnx(out)
    model.clone().to_onnx(other)
    assert out.read_bytes() == other.read_bytes()
    notes = {entry.key: entry.value for entry in onnx.load(out).metadata_props}
    result = skd.evaluate(model, make_split(), n_way=2, n_query=1, n_episodes=1)
    assert notes["sha256"] == result.provenance["model"]["sha256"]
    assert '"architecture": "resnet12"' in notes["config"]


@pytest.mark.parametrize(
    "head",
    [
        "logistic",
        "nearest_centroid",
        "nearest_centroid_cosine",
        "nearest_neighbor",
        "nearest_neighbor_cosine",
        "ridge",
        "linear_svc",
    ],
)
@pytest.mark.parametrize("features", ["embedding", "logits"])
def test_a_few_shot_classifier_becomes_one_file(trained, pixels, rng, out, head, features):
    model = trained("convnet4")
    classifier = skd.FewShotClassifier(model, head=head, features=features)
    classifier.fit(pixels, np.array(["dog", "cat", "élan"]).repeat(4))
    model.to_onnx(out, classifier)
    queries = rng.integers(0, 256, (20, 16, 16, 3), dtype=np.uint8)
    found = run(out, queries)
    assert found["label"].tolist() == classifier.predict(queries).tolist()
    if hasattr(classifier, "predict_proba"):
        assert_close(found["probabilities"], classifier.predict_proba(queries))
    else:
        assert "probabilities" not in found


@pytest.mark.parametrize(
    "labels", [np.array([7, -3]), np.array([True, False]), np.array([2, 3], np.uint8)]
)
def test_two_classes_of_any_type(trained, pixels, out, labels):
    model = trained()
    estimator = skd.LogisticRegression().fit(model.embed(pixels), labels.repeat(6))
    model.to_onnx(out, estimator)
    found = run(out, pixels)
    assert found["label"].dtype == labels.dtype
    assert found["label"].tolist() == estimator.predict(model.embed(pixels)).tolist()
    assert_close(found["scores"][:, 1], estimator.decision_function(model.embed(pixels)))
    assert_close(found["probabilities"], estimator.predict_proba(model.embed(pixels)))


def test_scores_are_those_of_the_decision_function(trained, pixels, out):
    model = trained()
    rows = model.embed(pixels)
    for estimator in (skd.RidgeClassifier(), skd.LinearSVC(), skd.NearestCentroid()):
        model.to_onnx(out, estimator.fit(rows, np.arange(12) % 4))
        assert_close(run(out, pixels)["scores"], estimator.decision_function(rows))


def test_wrong_classifiers_are_refused_and_nothing_is_written(trained, pixels, out):
    model, labels = trained(), np.arange(12) % 3
    other = skd.FewShotClassifier(trained(seed=1)).fit(pixels, labels)
    refused = {
        "fitted on this model": other,
        "rows of 16 features; got one of 5": skd.RidgeClassifier().fit(np.eye(5), range(5)),
    }
    for message, classifier in refused.items():
        with pytest.raises(ValueError, match=f"'classifier' parameter .* {message}"):
            model.to_onnx(out, classifier)
    for classifier in ("logistic", model, 3):
        with pytest.raises(TypeError, match=r"'classifier' parameter of Model\.to_onnx must be a"):
            model.to_onnx(out, classifier)
    for classifier in (skd.LinearSVC(), skd.FewShotClassifier(model)):
        with pytest.raises(skd.NotFittedError, match=r"Model\.to_onnx needs a fitted classifier"):
            model.to_onnx(out, classifier)
    assert not out.exists()


def test_a_classifier_of_an_equal_model_is_taken(trained, pixels, out):
    model = trained()
    classifier = skd.FewShotClassifier(model.clone()).fit(pixels, np.arange(12) % 3)
    model.to_onnx(out, classifier)
    assert run(out, pixels)["label"].tolist() == classifier.predict(pixels).tolist()


def test_a_missing_package_is_named(trained, out, monkeypatch):
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(ImportError, match="ONNX files need the package onnx: pip install onnx"):
        trained().to_onnx(out)
    assert not out.exists()


@pytest.mark.parametrize(
    ("labels", "answer"), [(["a", "bb", "ccc"], "none of these"), ([5, 7, 9], -1)]
)
def test_rejection_and_temperature_are_in_the_file(trained, pixels, rng, out, labels, answer):
    model = trained("convnet4")
    classifier = skd.FewShotClassifier(model, head="ridge", reject=answer, known_rate=0.5)
    classifier.fit(pixels, np.array(labels).repeat(4))
    model.to_onnx(out, classifier)
    queries = rng.integers(0, 256, (20, 16, 16, 3), dtype=np.uint8)
    found = run(out, queries)
    clear = abs(classifier.known_scores(queries) - classifier.threshold_) > CLOSE
    expected = classifier.predict(queries)
    assert answer in expected
    assert found["label"][clear].tolist() == expected[clear].tolist()
    assert_close(found["probabilities"], classifier.predict_proba(queries))


@pytest.mark.parametrize("classes", [2, 4])
def test_a_calibrated_classifier_keeps_its_temperature(trained, pixels, out, classes):
    model = trained()
    rows = model.embed(pixels)
    for head in ("logistic", "ridge", "nearest_centroid"):
        estimator = skd.CalibratedClassifier(head).fit(rows, np.arange(12) % classes)
        model.to_onnx(out, estimator)
        assert_close(run(out, pixels)["probabilities"], estimator.predict_proba(rows))
