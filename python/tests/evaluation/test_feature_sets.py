"""Files of features: those of ``skd embed``, and those of other programs."""

import io
import json
import re
import zipfile

import numpy as np
import pytest
from safetensors.numpy import save_file

import skd

PROTOCOL = {"n_way": 3, "n_query": 4, "n_episodes": 20, "progress": False}
LABELS = np.arange(40) % 4


@pytest.fixture
def matrix(rng):
    """Return features of four classes that are not hard to tell apart."""
    return (2 * np.eye(6)[LABELS] + rng.standard_normal((40, 6))).astype(np.float32)


@pytest.fixture
def embedded(make_model, make_split, tmp_path):
    """Return a function that writes a file as ``skd embed`` does."""
    from skd.evaluation.feature_files import write_features

    split = make_split(num_classes=4, per_class=10)

    def make(name, model=None, kind="embedding"):
        path = tmp_path / name
        model = make_model() if model is None else model
        names = {"data_name": "dots", "split_name": "val", "progress": False}
        write_features(path, model, split, "skd embed", kind=kind, **names)
        return path

    return make


def written(folder, kind, matrix, labels=LABELS):
    """Write the same features in one of the formats, under the names of another program."""
    path = folder / f"theirs.{kind}"
    if kind == "npy":
        np.save(path, matrix)
    elif kind == "npz":
        np.savez(path, emb=matrix, y=labels, more=np.zeros((2, 2, 2)))
    elif kind == "compressed.npz":
        np.savez_compressed(path, features=matrix.astype(np.float64), labels=labels)
    else:
        arrays = {"features": matrix, "labels": labels, "other": matrix[:2].copy()}
        save_file(arrays, path)
    return path


@pytest.mark.parametrize("kind", ["npy", "npz", "compressed.npz", "safetensors"])
def test_files_of_other_programs_are_scored_like_their_arrays(matrix, tmp_path, kind):
    path = written(tmp_path, kind, matrix)
    labels = {"labels": LABELS} if kind == "npy" else {}
    found = skd.load_features(path, **labels)
    np.testing.assert_array_equal(found.features, matrix)
    np.testing.assert_array_equal(found.labels, LABELS)
    assert (found.class_names, found.meta, found.model) == (None, None, None)
    whole = skd.evaluate_features(matrix, LABELS, **PROTOCOL)
    for result in (
        skd.evaluate_features(path, **labels, **PROTOCOL),
        skd.evaluate_features(found, **PROTOCOL),
    ):
        assert result.to_json() == whole.to_json()


def test_labels_come_from_a_file_too_and_may_be_text(matrix, tmp_path):
    path, labels = written(tmp_path, "npy", matrix), tmp_path / "labels.npy"
    names = np.array(["a", "b", "c", "é"])[LABELS]
    np.save(labels, names)
    for given in (labels, names, names.tolist()):
        found = skd.load_features(path, given)
        assert found.class_names == ("a", "b", "c", "é")
        np.testing.assert_array_equal(found.labels, LABELS)
    whole = skd.evaluate_features(matrix, LABELS, **PROTOCOL)
    assert skd.evaluate_features(path, labels, **PROTOCOL).mean == whole.mean


def test_a_file_of_skd_embed_tells_its_origin(embedded, make_model, make_split):
    model = make_model(seed=3)
    path = embedded("features.npz", model)
    found = skd.load_features(path)
    assert found.model == found.meta["model"]
    assert repr(found) == (
        "FeatureSet(40 images, 16 dimensions, 4 classes, of resnet12 on dots val)"
    )
    assert len(found) == 40
    result = skd.evaluate_features(path, **PROTOCOL)
    whole = skd.evaluate(
        model, make_split(num_classes=4, per_class=10), **PROTOCOL, support_augmentation="none"
    )
    provenance = result.provenance
    assert provenance["model"] == whole.provenance["model"]
    assert (provenance["data"]["name"], provenance["data"]["split"]) == ("dots", "val")
    assert provenance["data"]["sha256"] == found.sha256
    assert provenance["data"]["images_sha256"] == found.meta["data"]["sha256"]
    assert result.options["features"] == "embedding"
    named = skd.evaluate_features(path, data_name="other", **PROTOCOL).provenance["data"]
    assert (named["name"], named["split"]) == ("other", "val")


def test_queries_from_the_same_file_change_nothing(embedded, matrix):
    path = embedded("features.npz")
    for n_shot in (1, 3):
        one = skd.evaluate_features(path, n_shot=n_shot, **PROTOCOL)
        two = skd.evaluate_features(path, query=path, n_shot=n_shot, **PROTOCOL)
        np.testing.assert_array_equal(one.accuracies, two.accuracies)
        assert two.provenance["query"]["sha256"] == one.provenance["data"]["sha256"]


def test_queries_from_another_set_meet_a_support_set_of_one_image(matrix):
    few = skd.FeatureSet(2 * np.eye(6)[:4], ["a", "b", "c", "d"])
    many = skd.FeatureSet(matrix, np.array(["d", "c", "b", "z"])[LABELS])
    result = skd.evaluate_features(few, query=many, **PROTOCOL)
    # Support a, b, c, d is e0, e1, e2, e3; the queries d, c, b are near e0, e1, e2.
    assert result.mean < 50
    turned = skd.FeatureSet(2 * np.eye(6)[:4], ["d", "c", "b", "q"])
    assert skd.evaluate_features(turned, query=many, **PROTOCOL).mean > 60
    with pytest.raises(ValueError, match=r"'n_way' .* number of classes in both sets, 3; got 4"):
        skd.evaluate_features(few, query=many, **{**PROTOCOL, "n_way": 4})
    with pytest.raises(ValueError, match=r"'n_shot' .* every class of 'features' has 2 images"):
        skd.evaluate_features(few, query=many, n_shot=2, **PROTOCOL)
    with pytest.raises(ValueError, match=r"'n_query' .* every class of 'query' has 11 images"):
        skd.evaluate_features(few, query=many, **{**PROTOCOL, "n_query": 11})


def test_an_image_is_never_support_and_query(matrix):
    both = skd.FeatureSet(matrix, LABELS)
    other = skd.FeatureSet(matrix + 1, LABELS)
    with pytest.raises(ValueError, match=r"every class of 'query' has 11 images; got 6"):
        skd.evaluate_features(both, query=other, n_shot=5, **{**PROTOCOL, "n_query": 6})
    skd.evaluate_features(both, query=other, n_shot=5, **{**PROTOCOL, "n_query": 5})


def test_queries_of_another_network_are_refused_with_the_difference(embedded, make_model):
    path = embedded("features.npz")
    other = embedded("other.npz", make_model(seed=1))
    message = r"'query' .* network that 'features' came from; got others: the model is resnet12 \w"
    with pytest.raises(ValueError, match=message):
        skd.evaluate_features(path, query=other, **PROTOCOL)
    logits = embedded("logits.npz", kind="logits")
    with pytest.raises(ValueError, match="features are 'logits', not 'embedding'"):
        skd.evaluate_features(path, query=logits, **PROTOCOL)
    model = make_model()
    model.normalization = (0.5, 0.5)
    with pytest.raises(ValueError, match=r"normalization are \{'mean'"):
        skd.evaluate_features(path, query=embedded("n.npz", model), **PROTOCOL)
    with pytest.raises(ValueError, match=r"'query' .* of 16 dimensions, as 'features'; got 3"):
        skd.evaluate_features(path, query=(np.eye(3), range(3)), **PROTOCOL)


def changed(path, **arrays):
    """Replace arrays of an archive."""
    with np.load(path, allow_pickle=True) as file:
        content = dict(file)
    np.savez(path, **{**content, **arrays})


def test_a_changed_file_of_skd_embed_is_refused(embedded):
    path = embedded("features.npz")
    with np.load(path) as file:
        features, meta = file["features"], json.loads(str(file["meta"]))
    changed(path, features=features + 1)
    with pytest.raises(ValueError, match=r"features\.npz': its features or labels differ from the"):
        skd.load_features(path)
    cases = {
        "its 'meta' is of version 2, not 1": {**meta, "version": 2},
        "its 'meta' has no sha256 of type str": {**meta, "sha256": 3},
        r"its 'meta' has no model\.architecture": {**meta, "model": {}},
    }
    for reason, other in cases.items():
        changed(path, features=features, meta=np.array(json.dumps(other)))
        with pytest.raises(ValueError, match=reason):
            skd.load_features(path)


@pytest.mark.parametrize(
    ("arrays", "reason"),
    [
        ({"a": np.zeros((3, 2)), "b": np.ones((3, 2))}, "2 arrays are a matrix of floats"),
        ({"a": np.zeros((3, 2), int)}, "no array is a matrix of floats: it holds 'a' (3, 2)"),
        ({"features": np.zeros(3)}, "'features' is of dtype float64 and shape (3,), not a matrix"),
        ({"features": np.zeros((0, 3))}, "'features' is empty: its shape is (0, 3)"),
        ({"features": np.full((3, 2), np.nan)}, "has NaN or infinite values, first in row 0"),
        ({"features": np.full((3, 2), 1e300)}, "has NaN or infinite values, first in row 0"),
        ({"features": np.eye(3)}, "has no array 'labels', and no array is a vector of integers"),
        ({"features": np.eye(3), "labels": np.ones(2, int)}, "has 2 entries for 3 rows"),
        ({"features": np.eye(3), "labels": np.ones(3)}, "not a vector of integers or text"),
        ({"features": np.eye(3), "labels": np.array([None] * 3)}, "an array of objects, which"),
        ({"features": np.eye(3), "labels": np.full(3, 2**64 - 1, np.uint64)}, "beyond 64 bits"),
    ],
)
def test_what_is_wrong_with_an_archive_is_said(tmp_path, arrays, reason):
    path = tmp_path / "wrong.npz"
    np.savez(path, **arrays)
    with pytest.raises(ValueError, match=r"wrong\.npz': .*" + re.escape(reason)):
        skd.load_features(path)


def test_other_files_are_recognised(make_model, tmp_path):
    cases = {
        "a.txt": (b"hello", "this is a text file, not a file of features"),
        "b.html": (b"<!doctype html>", "this is an HTML page, not the file"),
        "c.pkl": (b"\x80\x04N.", "this is a pickle, not a file of features"),
        "d.npy": (b"\x93NUMPY\x01\x00", "not an array in NumPy's format"),
        "e.npz": (b"PK\x03\x04" + bytes(40), "not an archive of NumPy arrays, or truncated"),
        "f": (b"", "the file is empty"),
    }
    for name, (content, reason) in cases.items():
        (tmp_path / name).write_bytes(content)
        with pytest.raises(ValueError, match=reason):
            skd.load_features(tmp_path / name)
    make_model().save(tmp_path / "model.safetensors")
    with pytest.raises(ValueError, match="the checkpoint of a model; skd embed computes"):
        skd.evaluate_features(tmp_path / "model.safetensors")
    with pytest.raises(FileNotFoundError, match="There is no file of features"):
        skd.load_features(tmp_path / "missing")


def test_a_bomb_is_refused_before_it_is_unpacked(tmp_path):
    header = io.BytesIO()
    form = {"descr": "<f4", "fortran_order": False, "shape": (2**20, 2**12)}
    np.lib.format.write_array_header_1_0(header, form)
    path = tmp_path / "bomb.npz"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("features.npy", header.getvalue() + bytes(64 << 20))
    with pytest.raises(ValueError, match="declares an array of 17,179,869,184 bytes"):
        skd.load_features(path)
    np.savez_compressed(path, features=np.zeros((1 << 12, 1 << 11)), labels=np.zeros(1 << 12, int))
    with pytest.raises(ValueError, match="no array of features does"):
        skd.load_features(path)


def test_arguments_are_refused_by_name(matrix, tmp_path):
    with pytest.raises(ValueError, match=r"'labels' parameter of evaluate_features must be given"):
        skd.evaluate_features(matrix)
    with pytest.raises(ValueError, match=r"'labels' .* left out where 'features' has them"):
        skd.evaluate_features(skd.FeatureSet(matrix, LABELS), LABELS)
    with pytest.raises(ValueError, match=r"'labels' parameter of load_features .* length 40"):
        skd.load_features(written(tmp_path, "npy", matrix), LABELS[1:])
    with pytest.raises(TypeError, match=r"'query' parameter of evaluate_features must be a Feat"):
        skd.evaluate_features(matrix, LABELS, query=3)
    with pytest.raises(ValueError, match=r"'class_names' parameter of FeatureSet"):
        skd.FeatureSet(matrix, LABELS, ("a",))
    given = {"query": (matrix, LABELS), **PROTOCOL}
    with pytest.raises(ValueError, match=r"'legacy_episodes' .* left out where 'query' is given"):
        skd.evaluate_features(matrix, LABELS, legacy_episodes=True, **given)
    with pytest.raises(ValueError, match=r"'episodes_file' .* left out where 'query' is given"):
        skd.evaluate_features(matrix, LABELS, episodes_file=tmp_path / "e", **given)
