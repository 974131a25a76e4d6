"""Progress is shown on terminals, in notebooks and in logs, and never where it is not wanted."""

import subprocess
import sys

import nbformat
from nbclient import NotebookClient


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
    code = (
        "import numpy as np, skd\n"
        "images = np.random.default_rng(0).integers(0, 256, (40, 16, 16, 3), dtype=np.uint8)\n"
        "split = skd.datasets.from_arrays(images, np.arange(40) % 4)\n"
        "model = skd.create_model('convnet4', num_classes=4, image_size=16, widths=(4, 4, 4, 4))\n"
        "skd.Supervised(model).fit(split, epochs=2, batch_size=20)\n"
        "skd.evaluate(model, split, n_way=2, n_query=8, n_episodes=30000)\n"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    lines = run.stderr.splitlines()
    assert [line.split(":")[0] for line in lines[:3]] == [
        "Supervised",
        "Supervised epoch 1/2",
        "Supervised epoch 2/2",
    ]
    assert lines[3].startswith("evaluate: ")
    assert run.stdout == ""
