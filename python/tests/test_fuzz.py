"""Ten thousand random calls of the public names neither crash nor raise what is not documented."""

import inspect
import subprocess
import sys
from pathlib import Path

import run_fuzz

import skd

SCRIPT = Path(run_fuzz.__file__)
SECONDS = 300

#: What has nothing to be called with: exceptions, records that the library returns, and modules.
RECORDS = {
    "skd.Episode", "skd.Episodes", "skd.GroupAccuracy", "skd.HeadComparison", "skd.OpenSetQuality",
    "skd.OpenSetResult", "skd.PairedDifference", "skd.EpochRecord", "skd.EvaluationResult",
    "skd.History", "skd.Losses", "skd.ComparisonMatrix", "skd.Reliability", "skd.TrainingPlan",
    "skd.LayerSummary", "skd.Model", "skd.ModelSummary", "skd.Normalization", "ops.BatchNorm",
    "profiling.ConvolutionLayer", "profiling.ConvolutionTimes",
}  # fmt: skip
#: Without arguments, or measuring for a long time.
NOTHING_TO_PASS = {
    "skd.available_memory", "skd.live_memory", "skd.get_num_threads", "skd.instruction_set",
    "skd.peak_gflops", "profiling.peak_gflops", "skd.list_models", "skd.list_pretrained",
    "Model.summary",
}  # fmt: skip


def public_names():
    """Return every public function and class that takes arguments, and the methods of objects."""
    names = set()
    for module in (skd, skd.ops, skd.losses, skd.profiling):
        prefix = module.__name__.rpartition(".")[2]
        for name in module.__all__:
            value = getattr(module, name)
            is_error = inspect.isclass(value) and issubclass(value, Exception)
            if callable(value) and not is_error:
                names.add(f"{prefix}.{name}")
    for kind in (
        skd.Model, skd.Supervised, skd.Gen0, skd.Gen1, skd.Distilled, skd.EpisodeSampler,
        skd.FewShotClassifier, skd.LogisticRegression, skd.RidgeClassifier, skd.LinearSVC,
        skd.NearestCentroid, skd.NearestNeighbor,
    ):  # fmt: skip
        for name, value in inspect.getmembers(kind):
            is_method = callable(value) and not name.startswith("_")
            if is_method and name not in ("get_params", "set_params"):
                names.add(f"{kind.__name__}.{name}")
    return names - RECORDS - NOTHING_TO_PASS


def test_every_public_name_is_called():
    assert public_names() - run_fuzz.names() == set()


def test_ten_thousand_random_calls_end_as_documented():
    result = subprocess.run(
        [sys.executable, SCRIPT, "1", "10000"], capture_output=True, text=True, timeout=SECONDS
    )
    last = "\n".join(result.stdout.splitlines()[-2:]) + result.stderr[-3000:]
    assert result.returncode == 0, last
    assert "raised what they may" in last
