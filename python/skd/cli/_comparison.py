"""Table and pictures of several runs, for ``skd quickstart``."""

from __future__ import annotations

import importlib.util
import io
from collections.abc import Mapping
from pathlib import Path

import skd
from skd._display.durations import duration
from skd._display.tables import Table
from skd._files.atomic import write_atomically
from skd.cli._run import Outcome
from skd.evaluation.episode_options import range_text

PANEL = 4.2  # width and height in inches
EPISODE_SIZE = (11.0, 7.0)


def comparison_lines(outcomes: Mapping[str, Outcome]) -> list[str]:
    """Render the accuracies of runs, and the time of their trainings.

    Parameters
    ----------
    outcomes : mapping of str to Outcome
        Finished runs by the name of the method.
    """
    first = next(iter(outcomes.values()))
    shots = list(first.results)
    evaluation = first.run.recipe.evaluation
    rows = []
    for method, outcome in outcomes.items():
        seconds = sum(record.seconds for record in outcome.history)
        accuracies = (str(outcome.results[n_shot]) for n_shot in shots)
        rows.append([method, *accuracies, duration(seconds)])
    way = range_text(evaluation.n_way)
    title = f"{way}-way accuracy on novel classes, {evaluation.n_episodes} episodes:"
    columns = ["", *(f"{n_shot}-shot" for n_shot in shots), "training"]
    return Table(title, columns, rows).text().splitlines()


def draw_pictures(outcomes: Mapping[str, Outcome], folder: Path) -> list[str]:
    """Draw the embeddings of all models, and an episode of the first, and say where.

    Parameters
    ----------
    outcomes : mapping of str to Outcome
        Finished runs by the name of the method.
    folder : Path
        Folder of the pictures.

    Returns
    -------
    lines : list of str
        Lines for the user.
    """
    if importlib.util.find_spec("matplotlib") is None:
        return ["No pictures: they need pip install matplotlib.", ""]
    from matplotlib.figure import Figure

    from skd.plots import EmbeddingDisplay, EpisodeDisplay

    models = {name: skd.load_model(each.run.folder.model) for name, each in outcomes.items()}
    last = list(outcomes)[-1]
    split, flip = outcomes[last].run.data.test, outcomes[last].run.recipe.evaluation.flip
    # Not figures of pyplot, which would choose a backend and might open a window.
    embedding = Figure(figsize=(PANEL * len(models) + 1.6, PANEL), layout="constrained")
    EmbeddingDisplay.from_models(models, split, ax=embedding.subplots(1, len(models)))
    episode = Figure(figsize=EPISODE_SIZE, layout="constrained")
    EpisodeDisplay.from_model(models[last], split, flip=flip, ax=episode.subplots())
    for name, figure in (("embedding.png", embedding), ("episode.png", episode)):
        picture = io.BytesIO()
        figure.savefig(picture, dpi=120, format="png")
        write_atomically(folder / name, picture.getvalue())
    return [f"Pictures:                     {folder}, and 'plots' in the folder of each run"]
