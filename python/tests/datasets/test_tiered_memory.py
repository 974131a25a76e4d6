"""The benchmark of memory generates the published layout and measures what it says."""

import numpy as np

import skd
import tiered_memory


def test_generated_archives_are_in_the_published_layout(tmp_path, monkeypatch):
    monkeypatch.setattr(tiered_memory, "FEW", 3)
    monkeypatch.setattr(tiered_memory, "BLOCK", 2)
    tiered_memory.generate(tmp_path / "source", 5)
    data = skd.datasets.load("tiered-imagenet", tmp_path / "source")
    assert [len(split) for split in (data.train, data.val, data.test)] == [5, 3, 3]


def test_the_peak_counts_arrays_and_not_mapped_files(tmp_path):
    np.save(tmp_path / "large.npy", np.ones(50_000_000, dtype=np.uint8))

    def read_mapped():
        return {"sum": float(np.load(tmp_path / "large.npy", mmap_mode="r")[::4096].sum())}

    kept = []

    def fill():
        kept.append(np.ones(150_000_000, dtype=np.uint8))
        return {}

    mapped, filled = tiered_memory.measured(read_mapped), tiered_memory.measured(fill)
    assert mapped["sum"] == len(range(0, 50_000_000, 4096))
    assert filled["peak_bytes"] > mapped["peak_bytes"] + 100_000_000


def test_the_report_says_whether_the_bar_is_met():
    result = {"seconds": 3.0, "peak_bytes": 2e8, "resident_bytes": 2e9, "images_seen": 640}
    lines = tiered_memory.report(100, {"import": result, "train": {**result, "peak_bytes": 2e9}})
    assert "| import | 3 | 200 | 2000 | yes |" in lines
    assert "| train | 3 | 2000 | 2000 | no |" in lines
