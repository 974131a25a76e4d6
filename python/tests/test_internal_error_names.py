"""Internals of refusals: parts of the library's errors become sentences of Python."""

import inspect

import pytest

import skd
from skd import losses, ops
from skd._refusals.native import FUNCTIONS, refusal, refused_as


def test_owners_are_public_functions_with_the_arguments_that_they_are_said_to_have():
    for function in FUNCTIONS.values():
        if function.owner is None:
            continue
        path = function.owner.split(".")
        owner = next(
            getattr(module, path[0])
            for module in (skd, ops, losses, skd.profiling)
            if hasattr(module, path[0])
        )
        for part in path[1:]:
            owner = getattr(owner, part)
        legal = {*inspect.signature(owner).parameters, "C", "tol", "max_iter"}
        names = {getattr(name, "name", name) for name in function.names.values()}
        assert names <= legal, function.owner


@pytest.mark.parametrize(
    ("parts", "sentence"),
    [
        (
            ("images", "augment", "be finite", "nan", None),
            "The 'images' parameter of augment must be finite; got nan.",
        ),
        (
            ("rows", "cross_entropy", "", "2199023255552", (1, 2**40, 2**41, None)),
            "The 'logits' parameter of cross_entropy must have at most 2**40 rows; "
            "got 2199023255552.",
        ),
        (
            ("rows", "cross_entropy", "", "0", (1, 2**40, 0, None)),
            "The 'logits' parameter of cross_entropy must have at least 1 row; got 0.",
        ),
        (
            ("rows", "batch_norm_forward_train", "", "1", (2, 2**40, 1, None)),
            "The 'x' parameter of batch_norm2d must have at least 2 values per channel; got 1.",
        ),
        (
            ("epoch", "shuffle", "", "-1", (0, 2**48 - 1, -1, None)),
            "The 'epoch' parameter of epoch_order must be in 0..2**48 - 1; got -1.",
        ),
        (
            ("features", "l2_normalize", "", "[2, 2]", (0, 2**40, 2**50, "elements")),
            "The 'features' parameter of l2_normalize must have at most 2**40 elements; "
            "got [2, 2].",
        ),
    ],
)
def test_parts_of_a_refusal_become_a_sentence_of_python(parts, sentence):
    assert str(refusal(*parts)) == sentence


def test_the_caller_of_a_shared_function_is_named():
    with (
        pytest.raises(ValueError, match=r"^The 'x' parameter of Own.step must be finite\.$"),
        refused_as("Own.step"),
    ):
        raise refusal("images", "trainer_step", "be finite", None, None)
