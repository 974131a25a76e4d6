"""Every public name is documented by the rules of numpydoc, and stands in the reference."""

import importlib
import inspect
import re
from pathlib import Path

import pytest
from numpydoc.validate import validate

import skd

REFERENCE = Path(__file__).parents[2] / "docs" / "reference"
MODULES = ("callbacks", "datasets", "distributed", "losses", "ops", "plots", "profiling", "recipes")
#: Rules that this project does not follow, each with its reason.
LEFT_OUT = {
    "GL01": "the summary stands beside the quotes, as PEP 257 allows",
    "ES01": "a summary that says all needs no second paragraph",
    "SA01": "pages of the reference stand for lists of what to see also",
    "EX01": "examples are given where they are short",
    "RT02": "results have names, as in scikit-learn, which the description refers to",
    "RT04": "and then a description may begin with a code or a name",
    "YD01": "what a context manager yields is said where it is something",
}


def public():
    """Return (name, object) of all that is public, methods included."""
    found = {}
    for module_name in ("", *MODULES):
        module = importlib.import_module(f"skd.{module_name}".rstrip("."))
        for name in module.__all__:
            value = getattr(module, name)
            if inspect.ismodule(value) or not callable(value):
                continue
            full = f"{module.__name__}.{name}"
            found[full] = value
            if inspect.isclass(value):
                found |= {f"{full}.{member}": inner for member, inner in own_members(value)}
    return found


def own_members(kind):
    """Return the public methods and properties of a class that no public base documents."""
    for name, member in vars(kind).items():
        is_public = not name.startswith("_") and (callable(member) or isinstance(member, property))
        if is_public and not any(hasattr(base, name) for base in kind.__mro__[1:]):
            yield name, member


def is_record(value):
    """Whether users are given objects of this class rather than make them."""
    documents_attributes = inspect.isclass(value) and "Attributes\n" in (value.__doc__ or "")
    return documents_attributes or value is skd.Model


PUBLIC = public()


@pytest.mark.parametrize("name", PUBLIC)
def test_numpydoc_finds_no_fault(name):
    left_out = {*LEFT_OUT, "PR01"} if is_record(PUBLIC[name]) else LEFT_OUT
    faults = [f"{code}: {text}" for code, text in validate(name)["errors"] if code not in left_out]
    assert not faults, f"{name}: {faults}"


def test_every_public_name_stands_in_the_reference():
    pages = "\n".join(path.read_text() for path in REFERENCE.glob("*.md"))
    shown = set(re.findall(r"^::: (\S+)$", pages, re.MULTILINE))
    wanted = {f"skd.{name}" for name in {*skd.__all__, *MODULES} - {"__version__"}}
    assert shown >= wanted - {"skd.peak_gflops"}  # a name of skd.profiling too
    for name in shown:
        module, _, last = name.rpartition(".")
        assert hasattr(importlib.import_module(module), last), name
