"""Internals of splits: hashes are computed once."""

import numpy as np
import pytest

import skd


def test_arrays_of_the_library_are_read_only_and_hashed_once(rng, monkeypatch, tmp_path):
    images = rng.integers(0, 256, (6, 8, 8, 3), dtype=np.uint8)
    mapped = np.memmap(tmp_path / "images", np.uint8, "w+", shape=images.shape)
    mapped[:] = images
    mapped.flush()
    frozen = images.copy()
    frozen.flags.writeable = False
    splits = [
        skd.datasets.load("glyphs").val,
        skd.datasets.from_arrays(images.astype(np.int64), np.arange(6)),
        skd.datasets.from_arrays(frozen, np.arange(6)),
        skd.datasets.from_arrays(
            np.memmap(tmp_path / "images", np.uint8, "r", shape=images.shape), np.arange(6)
        ),
        skd.datasets.from_arrays(images, np.arange(6)),
        skd.datasets.from_arrays(images[:], np.arange(6)),
    ]
    hashes = [split.sha256 for split in splits]
    computed = []
    monkeypatch.setattr(skd.datasets._split, "content_hash", computed.append)
    for split, sha256 in zip(splits[:4], hashes[:4], strict=True):
        assert split.sha256 == sha256
        for array in (split.images, split.labels):
            with pytest.raises(ValueError, match="read-only"):
                array[0] = 0
    assert computed == []
    for split in splits[4:]:
        with pytest.raises(AttributeError):  # the hash is computed, by what stands in for it
            _ = split.sha256
    assert len(computed) == 2
