"""Weights that come with the package."""

from __future__ import annotations

from pathlib import Path

from skd import _validation as check
from skd.models._load import load_model
from skd.models._model import Model

FOLDER = Path(__file__).with_name("pretrained")
SUFFIX = ".safetensors"


def list_pretrained() -> list[str]:
    """List the names of the weights that come with the package.

    Returns
    -------
    names : list of str
        Names for `load_pretrained`, in alphabetical order. The documentation has a model card for
        each: its data, recipe, accuracy, speed and limits.

    Examples
    --------
    >>> "photos-84" in list_pretrained()
    True
    """
    return sorted(file.stem for file in FOLDER.glob(f"*{SUFFIX}"))


def load_pretrained(name: str) -> Model:
    """Load weights that come with the package.

    Parameters
    ----------
    name : str
        A name of `list_pretrained`.

    Returns
    -------
    model : Model
        A new model with its weights and its normalisation, so that it takes uint8 images.

    Raises
    ------
    ValueError
        If there are no weights of this name.

    Examples
    --------
    >>> load_pretrained("photos-84").image_size
    84
    """
    check.choice(name, "name", "load_pretrained", list_pretrained())
    return load_model(FOLDER / f"{name}{SUFFIX}")
