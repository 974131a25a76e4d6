"""The examples of docs/how-to/plots.md, and the README's path of a newcomer, run as they stand."""

import re
from pathlib import Path

import matplotlib
import matplotlib.pyplot as plt
import picture_folders
import run_fit

import skd
import skd.plots
from skd.callbacks import HistoryFile

matplotlib.use("Agg")

DOCS = Path(__file__).parents[3] / "docs"
README = DOCS.parent / "README.md"


def blocks(path):
    return re.findall(r"```python\n(.*?)```", path.read_text(), re.DOTALL)


def test_the_examples_of_the_page_run(monkeypatch, tmp_path, make_split):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "runs" / "gen0").mkdir(parents=True)
    file = HistoryFile(tmp_path / "runs" / "gen0" / "history.csv")
    gen0 = run_fit.make_trainer()
    history = run_fit.fit(gen0, None, epochs=2, callbacks=[file])
    split = make_split(per_class=16)
    few = make_split(num_classes=3, per_class=6)
    student = gen0.model.clone()
    classifier = skd.FewShotClassifier(student).fit(few.images, few.labels)
    names = {
        "data": skd.datasets.FewShotData(split, few, split),
        "history": history,
        "teacher": gen0.model,
        "student": student,
        "classifier": classifier,
        "images": few.images,
        "labels": few.labels,
    }
    original = skd.plots.EpisodeConfusionDisplay.from_model
    quick = {"n_query": 2, "n_episodes": 2}
    monkeypatch.setattr(
        skd.plots.EpisodeConfusionDisplay,
        "from_model",
        lambda *given, **options: original(*given, **options, **quick),
    )
    for number, block in enumerate(blocks(DOCS / "how-to" / "plots.md")):
        exec(compile(block, f"plots.md, block {number}", "exec"), names)
    assert (tmp_path / "training.png").read_bytes().startswith(b"\x89PNG")
    assert (tmp_path / "both.pdf").read_bytes().startswith(b"%PDF")
    assert len(plt.get_fignums()) == 9


def test_the_page_names_every_display_and_constructor():
    page = (DOCS / "how-to" / "plots.md").read_text()
    for name in skd.plots.__all__:
        (line,) = (line for line in page.splitlines() if line.startswith(f"| `{name}`"))
        makers = [entry for entry in dir(getattr(skd.plots, name)) if entry.startswith("from_")]
        assert all(f"`{maker}(" in line for maker in makers)


def test_the_readme_leads_to_a_model_of_own_images_in_fifteen_lines(
    monkeypatch, tmp_path, rng, capsys
):
    """Only the size of the images, the network and the numbers of epochs and episodes differ."""
    (example,) = (block for block in blocks(README) if "from_folder" in block)
    assert len(example.splitlines()) <= 15
    for stated, quick in (("image_size=84", "image_size=16"), ("epochs=65", "epochs=1")):
        assert stated in example
        example = example.replace(stated, quick)
    create, evaluate = skd.create_model, skd.evaluate
    monkeypatch.setattr(
        skd, "create_model", lambda *given, **o: create(*given, **o, widths=(4, 4, 8, 8))
    )
    monkeypatch.setattr(skd, "evaluate", lambda *given, **o: evaluate(*given, **o, n_episodes=5))
    monkeypatch.chdir(tmp_path)
    picture_folders.write_photos(tmp_path / "photos", rng)
    exec(compile(example, str(README), "exec"), {})
    assert "±" in capsys.readouterr().out
    assert skd.load_model("model.safetensors").num_classes == 16
    assert (tmp_path / "training.png").read_bytes().startswith(b"\x89PNG")
