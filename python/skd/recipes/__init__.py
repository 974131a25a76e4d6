"""Recipes: TOML files that describe a training and its evaluation, and the code that runs them.

docs/how-to/recipes.md lists the entries and shows how to write a recipe.
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
    Measured,
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
    "Measured",
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
