"""What run_faults.py lets fail: saving, importing and training, each in a folder of its own."""

import csv
import io
import struct

import data_files
import recipe_data
import run_fit
from tensorboardX.record_writer import masked_crc32c
from typer.testing import CliRunner

import skd
import skd.training._loop
from skd._files.checksummed import verified_content
from skd.callbacks import HistoryFile, TensorBoard
from skd.cli.application import application
from skd.errors import DamagedCheckpointError

skd.training._loop.VALIDATION_EPISODES = 5
CUT = "its last record is cut"
SMALL = ("model.architecture=convnet4", "model.widths=[8, 8, 8, 8]", "schedule.epochs=2")


class CommandError(Exception):
    """The status of a command that failed, and its standard error."""


def make_model(num_classes=3):
    options = {"num_classes": num_classes, "image_size": 16, "widths": (4,) * 4, "seed": 1}
    return skd.create_model("convnet4", **options)


def command(*words):
    """Run a command in this process."""
    result = CliRunner().invoke(application, list(map(str, words)))
    if result.exit_code != 0:
        raise CommandError(result.exit_code, result.stderr)


class Scenario:
    """An action in a folder."""

    #: Whether what it writes holds times: such files are looked at instead of compared.
    holds_times = False

    def prepare(self, folder):
        """Write what is there before."""

    def act(self, folder):
        """Do it; return what is equal whenever it succeeds."""
        raise NotImplementedError

    def again(self, folder):
        """Do it after it failed or was killed."""
        return self.act(folder)


class NewModel(Scenario):
    """`Model.save` of a new file."""

    def act(self, folder):
        make_model().save(folder / "model.safetensors")


class ReplacedModel(NewModel):
    """`Model.save` where there is another model."""

    def prepare(self, folder):
        make_model(num_classes=2).save(folder / "model.safetensors")


class Classifier(Scenario):
    """`FewShotClassifier.save`."""

    def act(self, folder):
        split, model = run_fit.make_split(3, 4, seed=4), make_model()
        model.normalization = split.mean, split.std
        classifier = skd.FewShotClassifier(model, head="nearest_centroid")
        classifier.fit(split.images, split.labels).save(folder / "classifier.safetensors")


class Reports(Scenario):
    """A report that replaces one, episodes, and a contact sheet."""

    def prepare(self, folder):
        (folder / "report.json").write_text("old")

    def act(self, folder):
        split = run_fit.make_split(3, 4, seed=4)
        options = {"n_way": 3, "n_query": 2, "n_episodes": 2, "n_support_copies": 1}
        episodes = folder / "episodes.safetensors"
        result = skd.evaluate(make_model(), split, **options, episodes_file=episodes)
        result.save(folder / "report.json")
        skd.datasets.save_contact_sheet(split, folder / "sheet.png")


class Import(Scenario):
    """`import_data` into a folder that is not there yet."""

    def prepare(self, folder):
        (folder / "source").mkdir()
        data_files.write_pickles(folder / "source", data_files.make_parts(32))

    def act(self, folder):
        target = folder / "data" / "cifar-fs"
        skd.datasets.import_data(folder / "source", name="cifar-fs", to=target)

    def again(self, folder):
        if not (folder / "data" / "cifar-fs").exists():
            self.act(folder)


class Fit(Scenario):
    """`fit` with checkpoints, a history file and event files."""

    holds_times = True

    def act(self, folder):
        trainer = skd.Supervised(make_model(2), optimizer=skd.SGD(lr=0.02), seed=2)
        history = trainer.fit(
            run_fit.make_split(2, 8, seed=3),
            epochs=2,
            batch_size=8,
            padding=2,
            seed=5,
            val=run_fit.make_split(2, 3, seed=4),
            progress=False,
            checkpoint_dir=folder / "run" / "checkpoints",
            save_every_steps=1,
            resume=True,
            callbacks=[
                HistoryFile(folder / "history.csv"),
                TensorBoard(folder / "events", every_steps=1),
            ],
        )
        return run_fit.digest(trainer, history)


class Train(Scenario):
    """`skd train`: all that a recipe leaves."""

    holds_times = True

    def prepare(self, folder):
        recipe_data.write("cifar-fs", folder / "data")

    def act(self, folder):
        recipe, run = skd.recipes.load("gen0-cifar-fs"), folder / "run"
        words = [*recipe_data.changes(recipe, folder / "data"), *SMALL]
        changes = [word for change in words for word in ("--set", change)]
        command("train", recipe.name, *changes, "--output", run, "--resume", "--threads", 1)
        names = ("model.safetensors", "report.json", "evaluations/1-shot.json")
        return [(run / name).read_bytes() for name in names]


SCENARIOS = {
    "new model": NewModel(),
    "replaced model": ReplacedModel(),
    "few-shot classifier": Classifier(),
    "reports": Reports(),
    "import": Import(),
    "fit": Fit(),
    "train": Train(),
}


def torn(path):
    """Return what is wrong with a file that holds times; None if it is whole."""
    data = path.read_bytes()
    if "tfevents" in path.name:
        return _torn_records(data)
    if path.name == "history.csv":
        rows = list(csv.DictReader(io.StringIO(data.decode())))
        is_whole = rows and data.endswith(b"\n") and not any(None in row.values() for row in rows)
        return None if is_whole else f"a table of {len(rows)} rows"
    if path.suffix == ".safetensors":
        try:
            verified_content(data, requires_checksum=True)
        except DamagedCheckpointError as error:
            return str(error)
    return None if data else "it is empty"


def _torn_records(data):
    """Return what is wrong with an event file."""
    position = 0
    while position < len(data):
        head = data[position : position + 8]
        end = position + 16 + int.from_bytes(head, "little")
        if len(head) < 8 or end > len(data):
            return CUT
        checksum = masked_crc32c(data[position + 12 : end - 4])
        if data[end - 4 : end] != struct.pack("<I", checksum):
            return f"a record is damaged at {position}"
        position = end
    return None
