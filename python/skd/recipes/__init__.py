"""Recipes: TOML files that say all of a training and its evaluation, and what runs them.

docs/recipes.md lists the entries and tells how to write one.
"""

from skd.recipes._folder import RunFolder
from skd.recipes._reading import load
from skd.recipes._running import Run, plan, run
from skd.recipes._schema import (
    Data,
    DistilledLoss,
    Evaluation,
    Expected,
    Gen0Loss,
    Gen1Loss,
    Network,
    Optimizer,
    Recipe,
    Schedule,
    SupervisedLoss,
    Teacher,
)
from skd.recipes._shipped import names

__all__ = [
    "Data",
    "DistilledLoss",
    "Evaluation",
    "Expected",
    "Gen0Loss",
    "Gen1Loss",
    "Network",
    "Optimizer",
    "Recipe",
    "Run",
    "RunFolder",
    "Schedule",
    "SupervisedLoss",
    "Teacher",
    "load",
    "names",
    "plan",
    "run",
]
