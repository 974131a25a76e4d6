import pytest
from typer.testing import CliRunner

import skd
from skd.cli.application import application


@pytest.fixture
def run(monkeypatch):
    """Return a function that runs a command in this process, on a terminal of 120 columns."""
    monkeypatch.setenv("COLUMNS", "120")
    threads = skd.get_num_threads()
    invoke = CliRunner().invoke
    yield lambda *words: invoke(application, list(map(str, words)), prog_name="skd")
    skd.set_num_threads(threads)


@pytest.fixture
def one_line():
    """Return a function that asserts that a command said one thing, and returns it."""

    def check(result, status):
        assert result.exit_code == status, result.output
        (line,) = result.stderr.splitlines()
        return line

    return check
