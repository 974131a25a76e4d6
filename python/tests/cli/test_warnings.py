"""Warnings reach the user of a command as one line each."""

import os
import subprocess
import sys

from picture_folders import write_classes


def test_a_warning_is_one_line_without_code(tmp_path):
    photos = write_classes(tmp_path / "photos", num_classes=4)
    command = [sys.executable, "-m", "skd.cli", "data", "info", photos, "--image-size", "16"]
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONWARNINGS"}
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr
    (line,) = done.stderr.splitlines()
    assert line.startswith("skd data: from_folder gives splits that are too small for 5-way")
    assert "or evaluate with n_way=" in line or "add classes or images" in line
