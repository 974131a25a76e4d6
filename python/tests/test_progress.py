"""Progress is shown on terminals, in notebooks and in logs, and never where it is not wanted."""

import os
import pty
import subprocess
import sys
import termios

import nbformat
from nbclient import NotebookClient

SCRIPT = """
import numpy as np, skd
images = np.random.default_rng(0).integers(0, 256, (40, 16, 16, 3), dtype=np.uint8)
split = skd.datasets.from_arrays(images, np.arange(40) % 4)
model = skd.create_model('convnet4', num_classes=4, image_size=16, widths=(4, 4, 4, 4))
skd.Supervised(model).fit(split, epochs=2, batch_size=20)
skd.evaluate(model, split, n_way=2, n_query=8, n_episodes=30000)
"""


def shown_on_a_terminal(command, **options):
    """Return what a command writes to a terminal."""
    parent, child = pty.openpty()
    termios.tcsetwinsize(child, (24, 80))
    with subprocess.Popen(command, stdin=child, stdout=child, stderr=child, **options) as process:
        os.close(child)
        parts = []
        while True:
            try:
                part = os.read(parent, 65536)
            except OSError:  # the other end is closed
                break
            if not part:
                break
            parts.append(part)
    os.close(parent)
    assert process.returncode == 0
    return b"".join(parts).decode()


def test_fit_and_evaluate_show_a_bar_in_a_notebook():
    cells = [
        "import numpy as np, skd\n"
        "images = np.random.default_rng(0).integers(0, 256, (40, 16, 16, 3), dtype=np.uint8)\n"
        "split = skd.datasets.from_arrays(images, np.arange(40) % 4)\n"
        "model = skd.create_model('convnet4', num_classes=4, image_size=16, widths=(4, 4, 4, 4))",
        "_ = skd.Supervised(model).fit(split, epochs=1, batch_size=20)",
        "_ = skd.evaluate(model, split, n_way=2, n_query=8, n_episodes=30000)",
        "_ = skd.Supervised(model).fit(split, epochs=1, batch_size=20, progress=False)",
    ]
    notebook = nbformat.v4.new_notebook(cells=list(map(nbformat.v4.new_code_cell, cells)))
    NotebookClient(notebook, timeout=120, kernel_name="python3").execute()
    shown = [bool(cell.outputs) for cell in notebook.cells]
    assert shown == [False, True, True, False]


def test_a_script_in_a_pipe_is_never_silent():
    command = [sys.executable, "-c", SCRIPT]
    run = subprocess.run(command, capture_output=True, text=True, check=True)
    lines = run.stderr.splitlines()
    assert [line.split(":")[0] for line in lines[:3]] == [
        "Supervised",
        "Supervised epoch 1/2",
        "Supervised epoch 2/2",
    ]
    assert lines[3].startswith("evaluate: ")
    assert run.stdout == ""


def test_a_script_on_a_terminal_shows_a_bar_for_each_call():
    text = shown_on_a_terminal([sys.executable, "-c", SCRIPT])
    for name in ("Supervised", "evaluate"):
        assert f"\r{name}" in text
    assert "%|" in text


def test_a_command_on_a_terminal_shows_its_plan_and_bars(tmp_path):
    words = ["schedule.epochs=1", "schedule.decay_epochs=[]", "schedule.batch_size=16"]
    words += ["data.num_classes=5", "data.images_per_class=16", "model.widths=[4, 4, 4, 4]"]
    words += ["evaluation.n_episodes=20"]
    command = [sys.executable, "-m", "skd", "train", "rfs-simple-glyphs"]
    command += [part for word in words for part in ("--set", word)]
    text = shown_on_a_terminal(command, cwd=tmp_path)
    assert "estimate" in text
    assert "\rSupervised" in text
    assert "1-shot" in text
