"""The number of threads: contexts and environment variables."""

import os
import subprocess
import sys

import pytest

import skd


def test_a_context_sets_the_number_and_restores_it():
    before = skd.get_num_threads()
    with skd.threads(3):
        assert skd.get_num_threads() == 3
        with skd.threads(5):
            assert skd.get_num_threads() == 5
        assert skd.get_num_threads() == 3
    assert skd.get_num_threads() == before


def test_a_context_restores_the_number_after_an_error():
    before = skd.get_num_threads()
    with pytest.raises(ValueError, match="'count'"), skd.threads(before + 1):
        skd.set_num_threads(0)
    assert skd.get_num_threads() == before


def test_a_context_changes_nothing_before_it_is_entered():
    before = skd.get_num_threads()
    skd.threads(before + 1)
    assert skd.get_num_threads() == before


@pytest.mark.parametrize(("count", "error"), [(0, ValueError), (257, ValueError), ("2", TypeError)])
def test_wrong_numbers_are_refused_at_once(count, error):
    with pytest.raises(error, match="'count' parameter of threads must be"):
        skd.threads(count)


def threads_of(*options, **variables):
    """Import the package in a process of its own; return its number of threads and warnings."""
    environment = {k: v for k, v in os.environ.items() if not k.endswith("_NUM_THREADS")}
    script = (
        "import warnings\n"
        "with warnings.catch_warnings(record=True) as caught:\n"
        "    warnings.simplefilter('always')\n"
        "    import skd\n"
        "print(skd.get_num_threads(), *[warning.message for warning in caught])\n"
    )
    done = subprocess.run(
        [sys.executable, *options, "-c", script],
        env=environment | variables, capture_output=True, text=True, check=True,
    )  # fmt: skip
    count, _, message = done.stdout.strip().partition(" ")
    return int(count), message


@pytest.mark.parametrize(
    ("variables", "count"),
    [
        ({"SKD_NUM_THREADS": "3"}, 3),
        ({"OMP_NUM_THREADS": "5"}, 5),
        ({"SKD_NUM_THREADS": " 3 ", "OMP_NUM_THREADS": "5"}, 3),
        ({"SKD_NUM_THREADS": "", "OMP_NUM_THREADS": "5"}, 5),
        ({"OMP_NUM_THREADS": "4,2"}, 4),
        ({"OMP_NUM_THREADS": "384"}, 256),
    ],
)
def test_the_environment_decides_the_number_at_import(variables, count):
    assert threads_of(**variables) == (count, "")


@pytest.mark.parametrize("value", ["0", "-1", "two", "1.5", "9" * 5000])
def test_other_values_are_ignored_with_a_warning(value):
    default, silence = threads_of()
    assert silence == ""
    count, message = threads_of(SKD_NUM_THREADS=value)
    assert count == default
    assert message.startswith("The environment variable SKD_NUM_THREADS must be a number of")
    assert message.endswith("It is ignored.")
    assert len(message) < 250
    assert threads_of(SKD_NUM_THREADS=value, OMP_NUM_THREADS="2")[0] == 2


def test_ranks_that_share_a_machine_take_the_number_of_the_environment():
    script = (
        "import skd\n"
        "from mpi4py import MPI\n"
        "print(skd.distributed.share_threads(MPI.COMM_SELF), skd.get_num_threads())\n"
    )
    environment = {**os.environ, "SKD_NUM_THREADS": "5"}
    command = [sys.executable, "-c", script]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["5", "5"]
