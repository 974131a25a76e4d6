"""Runs the notebooks and keeps their outputs: ``run_notebooks.py NOTEBOOK...``, or make notebooks.

What differs from run to run without meaning, such as times, is left out of the files.
"""

import sys
from pathlib import Path

import nbformat
from nbclient import NotebookClient

SECONDS = 600  # of one cell


def run(path: Path) -> None:
    """Run a notebook in its folder and write it again."""
    notebook = nbformat.read(path, as_version=4)
    NotebookClient(
        notebook,
        timeout=SECONDS,
        kernel_name="python3",
        record_timing=False,
        resources={"metadata": {"path": str(path.parent)}},
    ).execute()
    notebook.metadata = {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    for cell in notebook.cells:
        cell.metadata = {}
        if cell.cell_type == "code":  # a bar without widgets goes to the standard error
            cell.outputs = [o for o in cell.outputs if o.get("name") != "stderr"]
    nbformat.write(notebook, path)


if __name__ == "__main__":
    for argument in sys.argv[1:]:
        run(Path(argument))
        print(argument)
