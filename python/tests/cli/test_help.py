"""Help at 80 columns is the committed text, in which no name and no sentence is cut."""

import os
import re
import subprocess
import sys
from pathlib import Path

import help_texts
import pytest

import skd
from skd.recipes import names

SNAPSHOT = Path(__file__).with_name("help.txt")


@pytest.fixture
def texts(monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    return help_texts.help_texts()


def test_help_is_the_committed_text(texts):
    assert "\n".join(texts.values()) == SNAPSHOT.read_text(), help_texts.__doc__


def test_help_fits_80_columns_and_nothing_is_cut(texts):
    for name, text in texts.items():
        assert text.startswith(f"Usage: {name} [OPTIONS]")
        assert all(len(line) <= help_texts.COLUMNS for line in text.splitlines()), name
        assert "…" not in text
        # Three dots mean that an argument may be repeated; nothing else has them.
        assert not re.sub(r"(\b[A-Z]+|\[[A-Z]+\])\.\.\.(?=\s)", "", text).count("..."), name


def test_help_fits_a_narrow_terminal_and_no_word_is_broken(run, monkeypatch):
    wide = run("evaluate", "-h").stdout
    monkeypatch.setenv("COLUMNS", "60")
    narrow = run("evaluate", "-h").stdout
    assert max(map(len, narrow.splitlines())) <= 60
    assert sorted(narrow.split()) == sorted(wide.split())


@pytest.mark.parametrize("words", [(), ("data",), ("recipes",)])
def test_a_command_without_words_prints_its_help(run, words):
    assert run(*words).exit_code == 0
    assert run(*words).stdout == run(*words, "-h").stdout == run(*words, "--help").stdout


def test_every_command_says_what_it_does_and_what_its_options_mean(texts):
    for text in texts.values():
        assert re.search(r"^  [A-Z'].*", text, re.MULTILINE)
        for line in text.splitlines():
            assert not re.fullmatch(r"  -\S+( [A-Z=]+)?", line) or len(line) > 32, line


def test_a_default_of_zero_is_shown(texts):
    assert re.search(r"--seed N .*\(default:\s0\)", texts["skd evaluate"], re.DOTALL)


@pytest.mark.parametrize("module", ["skd", "skd.cli"])
def test_the_package_runs_as_the_command(module):
    command = [sys.executable, "-m", module, "--version"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == skd.__version__


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("skd ev", {"evaluate"}),
        ("skd evaluate --data gly", {"glyphs"}),
        ("skd evaluate --classifier nearest_c", {"nearest_centroid", "nearest_centroid_cosine"}),
        ("skd train gen1-gl", {name for name in names() if name.startswith("gen1-gl")}),
        ("skd data import x --as mini", {"mini-imagenet"}),
    ],
)
def test_the_shell_completes_commands_and_names(typed, offered):
    words = typed.split()
    environment = {
        **os.environ,
        "_SKD_COMPLETE": "complete_bash",
        "COMP_WORDS": typed,
        "COMP_CWORD": str(len(words) - 1),
    }
    command = [sys.executable, "-m", "skd"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert set(done.stdout.split()) == offered, done.stderr
