"""Internals of recipes: the page names every entry."""

from pathlib import Path

from skd.recipes._reading import legal_keys

ROOT = Path(__file__).parents[3]
HOW_TO = ROOT / "docs" / "how-to"


def test_the_page_names_every_entry():
    page = (HOW_TO / "recipes.md").read_text()
    for stage in ("supervised", "distilled", "gen0", "gen1"):
        for table, keys in legal_keys(stage).items():
            assert not table or f"[{table}]" in page, table
            for key in keys:
                assert f"`{key}`" in page or f"`{key} = " in page, (table, key)
