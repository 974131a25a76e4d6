"""Internals of ``skd data import``: a set that does not fit on the disk."""

import data_files

from skd.datasets import _importing


def test_a_set_that_is_larger_than_the_disk_is_refused_by_its_name(
    run, tmp_path, monkeypatch, one_line
):
    monkeypatch.setattr(_importing, "SPARE_BYTES", 1 << 62)
    data_files.write_pickles(tmp_path, data_files.make_parts(32))
    result = run("data", "import", tmp_path, "--as", "fc100", "--to", tmp_path / "to")
    assert f"writing {str(tmp_path / 'to')!r}. Nothing was written." in one_line(result, 1)
