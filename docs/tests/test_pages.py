"""What the site is made with: formulas, docstrings, notebooks and links."""

import inspect
import json
import re
import tomllib
from pathlib import Path, PurePosixPath

import griffe
import pytest
from docs_site.docstrings import Docstrings
from docs_site.notebooks import Notebook
from docs_site.pages import Site, gather, site_place
from docs_site.shell_blocks import with_languages
from markdown import Markdown

import skd
from skd import callbacks, plots, recipes

PNG = "aGk="
CHOICES = re.compile(r"^ *(\w+) : \{.*\}, default=(.+)$", re.MULTILINE)


@pytest.fixture
def repository(tmp_path):
    """Return a small repository with a page of each kind."""
    root = tmp_path / "repository"
    for folder in ("docs/how-to", "docs/figures", "notebooks", "python"):
        (root / folder).mkdir(parents=True)
    cells = [
        {"cell_type": "markdown", "source": ["# First\n", "\n", "See [how](../docs/how-to/a.md)."]},
        {
            "cell_type": "code",
            "source": "draw(2)",
            "outputs": [
                {"output_type": "stream", "name": "stdout", "text": ["\x1b[31mone\x1b[0m\n"]},
                {"output_type": "stream", "name": "stdout", "text": "two\n"},
                {"output_type": "display_data", "data": {"image/png": PNG, "text/plain": "F"}},
                {"output_type": "execute_result", "data": {"text/plain": ["4", "2"]}},
            ],
        },
        {
            "cell_type": "code",
            "source": "table",
            "outputs": [{"output_type": "execute_result", "data": {"text/html": "<p>\n\n3</p>"}}],
        },
    ]
    (root / "notebooks" / "1.ipynb").write_text(json.dumps({"cells": cells}))
    (root / "docs" / "figures" / "f.svg").write_text("<svg/>")
    (root / "python" / "script.py").write_text("")
    (root / "README.md").write_text("# Readme\n\n[a](docs/how-to/a.md#x) [s](python/script.py)")
    (root / "docs" / "index.md").write_text("# Home\n\n[r](../README.md) ![f](figures/f.svg)")
    picture = '<!-- picture: notebooks/1.ipynb draw( "Caption" -->'
    links = "[n](../../notebooks/1.ipynb) [web](https://example.org) [gone](gone.md)"
    (root / "docs" / "how-to" / "a.md").write_text(f"# A\n\n{picture}\n\n{links}")
    return root


@pytest.fixture
def pages(repository, tmp_path):
    gather(repository, tmp_path / "pages")
    return tmp_path / "pages"


def test_a_notebook_becomes_a_page_with_its_outputs(pages):
    assert (pages / "notebooks" / "1.md").read_text() == (
        "# First\n\nSee [how](../docs/how-to/a.md).\n\n"
        "```python\ndraw(2)\n```\n\n```text\none\ntwo\n```\n\n"
        "![Picture that this cell draws](1_pictures/1-2.png)\n\n"
        "```text\n42\n```\n\n```python\ntable\n```\n\n<div><p>\n3</p></div>"
    )
    assert (pages / "notebooks" / "1_pictures" / "1-2.png").read_bytes() == b"hi"


def test_links_lead_to_the_places_of_the_site(pages):
    assert (pages / "start.md").read_text() == "# Readme\n\n[a](docs/how-to/a.md#x) s"
    assert (pages / "index.md").read_text() == "# Home\n\n[r](start.md) ![f](docs/figures/f.svg)"
    assert (pages / "docs" / "how-to" / "a.md").read_text() == (
        "# A\n\n![Caption](../../notebooks/1_pictures/1-2.png)\n\n*Caption*{ .caption }\n\n"
        "[n](../../notebooks/1.md) [web](https://example.org) [gone](gone.md)"
    )


def test_a_picture_that_no_cell_draws_is_named(repository):
    notebook = Notebook.read(repository / "notebooks" / "1.ipynb", PurePosixPath("notebooks/1.md"))
    with pytest.raises(LookupError, match=r"1.md that draws .* 'paint\('"):
        notebook.picture("paint(")


def test_indented_commands_become_blocks_of_the_shell():
    text = "Text\n\n    plain\n\n```c\n\n    make z\n```\n"
    page = f"# A\n\n    skd train x  # long\n\n    A=1 make y\n\n{text}"
    assert with_languages(page) == (
        f"# A\n\n```sh\nskd train x  # long\n\nA=1 make y\n```\n\n{text}"
    )


def test_formulas_become_mathml_and_prices_and_code_do_not():
    convert = Markdown(extensions=["docs_site.formulas"]).convert
    assert convert("so $x_1$ is").startswith('<p>so <math xmlns="http://www.w3.org/1998/Math')
    block = convert("$$\n\\frac{a}{b}\n$$")
    assert 'display="block"' in block
    assert "<mfrac>" in block
    assert convert("from 5 $ to 6 $ or $5 to $6") == "<p>from 5 $ to 6 $ or $5 to $6</p>"
    assert convert("run `echo $A $B`") == "<p>run <code>echo $A $B</code></p>"


def places(nav):
    """Yield the pages of a navigation, whatever their depth."""
    for entry in nav:
        for place in [entry] if isinstance(entry, str) else entry.values():
            yield from [place] if isinstance(place, str) else places(place)


def test_every_page_is_in_the_navigation_once():
    root = Path(__file__).parents[2]
    nav = tomllib.loads((root / "zensical.toml").read_text())["project"]["nav"]
    site = Site(root)
    pages = [str(site_place(source)) for source in (*site.pages, *site.notebooks)]
    assert sorted(places(nav)) == sorted(pages)


def functions():
    """Yield the public functions, classes and methods whose parameters have choices."""
    for module in (skd, skd.datasets, skd.ops, callbacks, plots, recipes):
        for name in module.__all__:
            value = getattr(module, name)
            members = vars(value).items() if inspect.isclass(value) else ()
            for kind, inner in ((name, value), *((f"{name}.{m}", v) for m, v in members)):
                inner = getattr(inner, "__func__", inner)
                if callable(inner) and CHOICES.search(inspect.getdoc(inner) or ""):
                    yield f"{module.__name__}.{kind}"


@pytest.fixture(scope="module")
def package():
    return griffe.load(
        "skd",
        search_paths=[Path(skd.__file__).parents[1]],
        extensions=griffe.load_extensions(Docstrings),
        docstring_parser="numpy",
        resolve_aliases=True,
    )


@pytest.mark.parametrize("name", sorted(set(functions())))
def test_the_reference_shows_the_defaults_of_choices(package, name):
    shown = package[name.removeprefix("skd.")]
    sections = shown.docstring.parse("numpy")
    (parameters,) = (part.value for part in sections if part.kind.value == "parameters")
    value = skd
    for part in name.split(".")[1:]:
        value = getattr(value, part)
    stated = dict(CHOICES.findall(inspect.getdoc(value)))
    assert stated
    for parameter in parameters:
        if parameter.name in stated:
            assert parameter.value == stated[parameter.name]
            default = inspect.signature(value).parameters[parameter.name].default
            assert parameter.value.strip("\"'") == str(default)
