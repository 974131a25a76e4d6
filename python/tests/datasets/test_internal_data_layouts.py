"""Internals of layouts: large images go through a temporary file."""

import data_files
import numpy as np

import skd
from skd.datasets import _parts


def test_large_images_go_through_a_temporary_file(tmp_path, monkeypatch):
    monkeypatch.setattr(_parts, "IN_MEMORY", 1000)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()
    parts = data_files.make_parts(84)
    data_files.write_tiered(tmp_path, parts, np.savez_compressed)
    data = skd.datasets.load("tiered-imagenet", tmp_path)
    np.testing.assert_array_equal(data.test.images, parts["test"][0])
    assert not data.test.images.flags.writeable
    assert list((tmp_path / "temporary").iterdir()) == []
