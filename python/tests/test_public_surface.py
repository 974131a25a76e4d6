"""The public names and signatures are those of the committed list: a change of it is on purpose."""

from pathlib import Path

import public_surface

LIST = Path(__file__).with_name("public_surface.txt")


def test_public_names_and_signatures_are_those_of_the_list():
    assert LIST.read_text().splitlines() == public_surface.surface(), public_surface.__doc__
