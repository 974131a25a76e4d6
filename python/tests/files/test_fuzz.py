"""Twenty thousand random and changed files: each is read, or refused by an error that names it."""

import json
import random
import subprocess
import sys
from pathlib import Path

import run_file_fuzz
from file_mutations import mutated, random_file
from file_targets import targets

SCRIPT = Path(run_file_fuzz.__file__)
PROCESSES, CASES = 2, 20_000
SECONDS = 600


def test_sound_files_are_read(tmp_path):
    for target in targets(tmp_path):
        for sample in target.samples:
            target.path.write_bytes(sample.finish(sample.content))
            target.read()


def test_changes_of_files_depend_on_the_number_alone():
    content, others = bytes(range(256)) * 4, [b"other content" * 9]
    made = [
        [mutated(content, others, random.Random(number)) for number in range(300)] for _ in range(2)
    ]
    assert made[0] == made[1]
    assert len(set(made[0])) > 250
    assert random_file(random.Random(1)) == random_file(random.Random(1))


def test_twenty_thousand_files_are_read_or_refused_in_words(capsys):
    count = CASES // PROCESSES
    running = [
        subprocess.Popen(
            [sys.executable, SCRIPT, str(first), str(count), str(PROCESSES)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for first in range(PROCESSES)
    ]
    files = read = 0
    for process in running:
        output, errors = process.communicate(timeout=SECONDS)
        assert process.returncode == 0, output[-3000:] + errors[-3000:]
        counts = json.loads(output.splitlines()[-1])
        assert counts["most_memory_beyond_twice_the_file"] <= run_file_fuzz.SPARE
        files, read = files + counts["files"], read + counts["read"]
    with capsys.disabled():
        print(f"{files:,} files: {read:,} read, {files - read:,} refused ", end="")
    assert files == CASES
    assert 0 < read < files
