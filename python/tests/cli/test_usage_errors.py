"""Words that are no command, option or value end in one line, like all other errors."""

import pytest


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (("evalute",), "skd: there is no command 'evalute'; did you mean 'evaluate'?"),
        (("quux",), "skd: there is no command 'quux'; -h lists all."),
        (("recipes", "lst"), "skd recipes: there is no command 'lst'; did you mean 'list'?"),
        (("--verison",), "skd: there is no option '--verison'; did you mean '--version'?"),
        (("data", "--quux"), "skd data: there is no option '--quux'; -h lists all."),
        (
            ("evaluate", "m", "--data", "glyphs", "--n-wya", "5"),
            "skd evaluate: there is no option '--n-wya'; did you mean '--n-way'?",
        ),
        (
            ("evaluate", "m", "--data", "glyphs", "--std"),
            "skd evaluate: there is no option '--std'; -h lists all.",
        ),
        (("compare", "m"), "skd compare: --data must be given; got nothing."),
        (("train",), "skd train: RECIPE must be given; got nothing."),
        (("classify",), "skd classify: SUPPORT must be given; got nothing."),
        (("evaluate", "m", "--data"), "skd evaluate: --data must have a value; got none."),
        (("train", "x", "--resume=3"), "skd train: --resume must have no value; got one."),
        (("info", "more"), "skd info: the arguments must end before 'more'."),
        (
            ("evaluate", "m", "--data", "glyphs", "--n-way", "5.0"),
            "skd evaluate: --n-way must be a number, or a range such as 5-20; got '5.0'.",
        ),
        (
            ("evaluate", "m", "--data", "glyphs", "--split", "train"),
            "skd evaluate: --split must be one of 'val', 'test'; got 'train'.",
        ),
        (("bench", "--threads", "0"), "skd bench: --threads must be in 1..256; got 0."),
        (("bench", "--runs", "0"), "skd bench: --runs must be in 1..1000; got 0."),
        (("bench", "--size", "33"), "skd bench: --size must be one of 32, 84; got 33."),
        (
            ("data", "info", "glyphs", "--image-size", "x"),
            "skd data info: --image-size must be an integer; got 'x'.",
        ),
    ],
)
def test_a_usage_error_is_one_line(run, one_line, words, line):
    assert one_line(run(*words), 2) == line
