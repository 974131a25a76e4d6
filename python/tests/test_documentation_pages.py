"""The Python blocks of the README and the pages run as they stand, but for smaller numbers."""

import os
import re
import subprocess
from pathlib import Path

import data_files
import numpy as np
import picture_folders
import pytest
from PIL import Image
from typer.testing import CliRunner

import skd
from skd.cli.application import application

DOCS = Path(__file__).parents[2] / "docs"
HOW_TO = DOCS / "how-to"
README = "../../README.md"
#: Pages whose blocks other tests run, and those with a block that cannot run here.
ELSEWHERE = {"plots.md", "recipes.md", "command-line.md"}
NEEDS_TORCH = {("interchange.md", 0)}  # two lines for a network of PyTorch
NEEDS_SEVERAL_PROCESSES = {("distributed.md", 1)}


def blocks(page):
    return re.findall(r"```python\n(.*?)```", (HOW_TO / page).read_text(), re.DOTALL)


def run(page, number, names, **replaced):
    """Run a block; each replaced text must be in it."""
    code = blocks(page)[number]
    for text, other in replaced.items():
        assert text in code
        code = code.replace(text, other)
    exec(compile(code, f"{page}, block {number}", "exec"), names)
    return names


@pytest.fixture(autouse=True)
def in_a_folder(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def names(make_model, make_split, batch):
    """Return what the blocks take as given."""
    model = make_model(drop_rate=0.0)
    model.normalization = (0.5, 0.5)
    split = make_split(per_class=20)
    x, labels = batch
    return {
        "np": np,
        "skd": skd,
        "data": skd.datasets.FewShotData(split, split, split),
        "split": split,
        "model": model,
        "gen0": skd.Gen0(model),
        "epochs": 1,
        "x": x,
        "labels": labels,
    }


def test_every_block_is_run_by_a_test():
    run_here = {
        (page, int(number))
        for page, number in re.findall(r'run\(\s*"([\w./-]+)", (\d)', Path(__file__).read_text())
    } | {(README, number) for number in range(3)}  # the last one by plots/test_documentation.py
    every = {
        (os.path.relpath(path, HOW_TO), number)
        for path in (DOCS.parent / "README.md", *DOCS.rglob("*.md"))
        for number in range(len(blocks(path)))
        if path.name not in ELSEWHERE
    }
    assert every == run_here | NEEDS_TORCH | NEEDS_SEVERAL_PROCESSES


def test_data(names, tmp_path, rng):
    (tmp_path / "downloads").mkdir()
    images = rng.integers(0, 256, (4, 84, 84, 3), dtype=np.uint8)
    parts = {name: (images, np.arange(4) // 2) for name in ("train", "val", "test")}
    data_files.write_mini_pickles(tmp_path / "downloads", parts)
    assert run("data.md", 0, names)["data"].train.num_classes == 2
    picture_folders.write_photos(tmp_path / "photos", rng, num_classes=5, per_class=2)
    assert run("data.md", 1, names)["data"].train.num_classes == 3
    assert len(run("data.md", 2, names)["small"]) == 200


def test_training(names, tmp_path, capsys):
    run("training.md", 0, names)
    assert names["gen0"].steps_taken == 1
    names["gen0"] = skd.Gen0(names["model"])
    run("training.md", 1, names, **{"epochs=65": "epochs=1, batch_size=20"})
    assert len(list((tmp_path / "runs" / "gen0").glob("step-*"))) == 1
    run("training.md", 2, names, **{"epochs=65": "epochs=1, batch_size=20"})
    assert "TrainingPlan" in capsys.readouterr().out
    run("training.md", 3, names, **{"epochs=5": "epochs=1, batch_size=20"})
    assert capsys.readouterr().out.startswith("History of 1 epoch; best validation")
    assert len(names["frame"]) == 1
    run("training.md", 4, names, **{"epochs=90": "epochs=3, batch_size=20"})
    assert names["model"].normalization == names["gen0"].model.normalization
    names["model"] = names["gen0"].model
    short = {"epochs=45": "epochs=3, batch_size=20", "warmup_epochs=3": "warmup_epochs=1"}
    run("training.md", 5, names, **short, **{"[24, 32]": "[16, 20]", "[18]": "[1]"})
    assert names["gen0"].rotations_per_image == 2
    run("training.md", 6, names, **{"num_classes=64": "num_classes=64, widths=(4, 4, 8, 8)"})
    assert capsys.readouterr().out.count("GiB") == 3


def test_heads(names):
    assert run("heads.md", 0, names)["predicted"].shape == (75,)


def test_evaluation(names, capsys, monkeypatch):
    run("evaluation.md", 0, names, **{"data.val,": "data.val, n_query=2, n_episodes=3,"})
    assert "±" in capsys.readouterr().out
    for name in ("a.json", "b.json"):
        names["result"].save(name)
    short = {"n_episodes=200": "n_episodes=3, n_query=2"}
    assert len(run("evaluation.md", 1, names, **short)["comparison"].differences) == 2
    assert "minus nearest_centroid" in capsys.readouterr().out
    quick = {'"nearest_centroid"]\n)': '"nearest_centroid"], n_query=2, n_episodes=3)'}
    run("evaluation.md", 2, names | {"other": names["model"].clone()}, **quick)
    assert "Paired differences" in capsys.readouterr().out
    assert run("evaluation.md", 3, names)["mean"] == 0
    names["model"].save("model.safetensors")
    words = ("--data", "glyphs", "--out", "features.npz")
    monkeypatch.setattr(skd.datasets, "load", lambda name, root=None: names["data"])
    assert CliRunner().invoke(application, ["embed", ".", *words]).exit_code == 0
    run("evaluation.md", 4, names)
    assert names["features"].meta["format"] == "skd-features"
    whole = skd.evaluate(names["model"], names["split"], n_shot=5, support_augmentation="none")
    assert names["result"].mean == whole.mean


def test_interchange(names, monkeypatch):
    read = []
    monkeypatch.setattr(skd, "import_torch", lambda path, **options: read.append((path, options)))
    run("interchange.md", 1, names)
    assert read == [("resnet12_last.pth", {"image_size": 84})]


def test_onnx(names, monkeypatch):
    monkeypatch.setattr(skd, "load_pretrained", lambda name: names["model"])
    names |= {"photos": names["split"].images, "names": names["split"].labels}
    run("onnx.md", 0, names)
    run("onnx.md", 1, names)
    assert names["label"].tolist() == names["classifier"].predict(names["photos"][:2]).tolist()
    assert names["probabilities"].shape == (2, 5)


def test_objectives(names):
    quick = {
        "num_classes=64, image_size=32": "num_classes=5, image_size=16, widths=(4, 4, 8, 8)",
        "epochs=90, decay_epochs=[45, 60, 75]": "epochs=1, batch_size=50",
    }
    run("objectives.md", 0, names, **quick)
    losses = run("objectives.md", 1, names)["losses"]
    total = losses.cross_entropy + 2 * losses.rotation + 0.1 * losses.terms["entropy"]
    assert losses.total == pytest.approx(total, rel=1e-5)


def test_distributed_in_one_process(names, monkeypatch, capsys):
    few, evaluate = names["data"], skd.evaluate
    monkeypatch.setattr(skd.datasets, "load", lambda name: few)
    monkeypatch.setattr(
        skd, "evaluate", lambda *given, **o: evaluate(*given, **o, n_query=2, n_episodes=2)
    )
    run(
        "distributed.md", 0, {},
        **{
            "image_size=32": "image_size=16, widths=(4, 4, 8, 8)",
            "epochs=20": "epochs=1",
            "batch_size=64": "batch_size=20",
        },
    )  # fmt: skip
    assert "±" in capsys.readouterr().out


def test_classify_your_photo(names, tmp_path, rng, capsys):
    picture_folders.write_photos(tmp_path / "support", rng, num_classes=3, per_class=5)
    Image.open(tmp_path / "support" / "class01" / "0.png").save(tmp_path / "photo.jpg")
    names["model"].save("model.safetensors")
    run("classify-your-photo.md", 0, {})
    assert "class0" in capsys.readouterr().out
    skd.FewShotClassifier.load("classifier.safetensors")
    run("classify-your-photo.md", 1, names)
    assert capsys.readouterr().out == "1.0\n"
    split = names["split"]
    given = {"photos": split.images, "names": split.labels}
    names |= {"images": split.images, "labels": split.labels, **given}
    names["classifier"] = skd.FewShotClassifier(names["model"]).fit(split.images, split.labels)
    run("classify-your-photo.md", 2, names)
    assert 0 <= float(capsys.readouterr().out) < 0.5
    run("classify-your-photo.md", 3, names, **{'"unknown"': "9"})
    assert capsys.readouterr().out
    run("../index.md", 0, {})
    assert "class0" in capsys.readouterr().out


@pytest.fixture
def photos(tmp_path, rng):
    """Write folders of photos, as the README names them."""
    for folder in ("support", "photos"):
        picture_folders.write_photos(tmp_path / folder, rng, num_classes=3, per_class=5)
    Image.open(tmp_path / "support" / "class01" / "0.png").save(tmp_path / "photo.jpg")


def test_the_readme_classifies_a_photo(photos, capsys):
    run(README, 0, {})
    assert capsys.readouterr().out.startswith("['class0")
    skd.FewShotClassifier.load("classifier.safetensors")


def test_the_readme_trains_both_generations(names, monkeypatch, capsys):
    few, evaluate = names["data"], skd.evaluate
    monkeypatch.setattr(skd.datasets, "load", lambda name: few)
    monkeypatch.setattr(
        skd, "evaluate", lambda *given, **o: evaluate(*given, **{**o, "n_episodes": 2}, n_query=2)
    )
    quick = {
        "image_size=32, widths=(32, 64, 96, 128)": "image_size=16, widths=(4, 4, 8, 8)",
        "epochs=20, decay_epochs=[16]": "epochs=1, decay_epochs=[], batch_size=20",
        "epochs=4,": "epochs=1, batch_size=20,",
    }
    run(README, 1, {}, **quick)
    assert "±" in capsys.readouterr().out
    assert skd.load_model("student.safetensors").num_classes == few.train.num_classes


def test_instruction_sets(names):
    run("instruction-sets.md", 0, names)


def test_the_first_program_in_c(tmp_path):
    (program,) = re.findall(r"```c\n(.*?)```", (DOCS / "reference" / "c.md").read_text(), re.DOTALL)
    (tmp_path / "first.c").write_text(program)
    library = Path(skd.__file__).parent / "lib"
    include = DOCS.parent / "Sources" / "CSKD" / "include"
    command = ["g++", "-x", "c", "-I", include, "first.c", "-x", "none", "-L", library, "-lSKD"]
    subprocess.run([*command, f"-Wl,-rpath,{library}", "-o", "first"], check=True)
    result = subprocess.run(["./first"], capture_output=True, text=True, check=True)
    assert result.stdout == "0.267261 0.534522 0.801784\n"
