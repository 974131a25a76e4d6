"""Internals of atomic writes: temporary files, links, devices and leftovers."""

import ast
import errno
import os
import pickle
import stat
import threading
from pathlib import Path

import data_files
import pytest
from file_size_limit import file_size_limit

import skd
from skd._files import atomic, changes, open_files, temporaries
from skd._files.atomic import atomic_folder, write_atomically
from skd._files.temporaries import TemporaryFile, TemporaryFolder
from skd.datasets import _parts

PACKAGE = Path(skd.__file__).parent
WRITERS = {Path(module.__file__) for module in (changes, open_files, temporaries, atomic)}


#: The command opens the null device, so that Python does not flush a full standard output again.
WRITERS.add(PACKAGE / "cli" / "__init__.py")


CHANGES = {
    *("write_text", "write_bytes", "tofile", "touch", "save_file", "SummaryWriter"),
    *("mkdir", "makedirs", "mkdtemp", "mkstemp", "TemporaryDirectory"),
    *("NamedTemporaryFile", "TemporaryFile", "fsync", "ftruncate", "copyfile", "move"),
    *("rename", "hardlink_to", "symlink_to", "unlink", "rmdir", "rmtree"),
}


def changes_files(call):
    """Whether a call in a module's syntax tree changes a file."""
    name = getattr(call.func, "attr", getattr(call.func, "id", None))
    owner = getattr(getattr(call.func, "value", None), "id", None)
    if name == "savefig":  # into memory, where the format is given
        return not any(keyword.arg == "format" for keyword in call.keywords)
    if owner == "os":
        return name in {"open", "replace", "remove", "link", "write"} | CHANGES
    if name == "open":
        modes = [argument.value for argument in call.args if isinstance(argument, ast.Constant)]
        return any(isinstance(mode, str) and set(mode) & set("wax+") for mode in modes)
    return name in CHANGES


def test_no_other_module_of_the_package_changes_files():
    found = [
        f"{path.relative_to(PACKAGE)}:{node.lineno}"
        for path in PACKAGE.rglob("*.py")
        if path not in WRITERS
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and changes_files(node)
    ]
    assert found == []


def test_an_error_says_what_was_kept_and_can_be_pickled(tmp_path):
    path = tmp_path / "file"
    with file_size_limit(10), pytest.raises(skd.WriteError) as caught:
        write_atomically(path, bytes(100))
    error = caught.value
    assert (error.errno, error.filename, error.kept) == (
        errno.EFBIG,
        str(path),
        "Nothing was left of it.",
    )
    assert (
        str(error) == f"[Errno 27] File too large, writing {str(path)!r}. Nothing was left of it."
    )
    path.write_text("old")
    with file_size_limit(10), pytest.raises(skd.WriteError, match="What was there is unchanged"):
        write_atomically(path, bytes(100))
    assert path.read_text() == "old"
    error.checkpoint = path
    again = pickle.loads(pickle.dumps(error))
    assert str(again) == str(error)
    assert str(again).endswith(f"Training can be resumed from {str(path)!r}.")


def test_a_file_whose_name_cannot_be_flushed_is_in_place(tmp_path, monkeypatch):
    def fail(folder):
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(temporaries, "sync_folder", fail)
    with pytest.raises(skd.WriteError, match="The new one is in place"):
        write_atomically(tmp_path / "file", b"new")
    assert (tmp_path / "file").read_bytes() == b"new"


@pytest.mark.parametrize("number", [errno.EINVAL, errno.ENOTSUP])
def test_a_file_system_that_cannot_flush_folders_is_no_error(tmp_path, monkeypatch, number):
    original = os.fsync

    def fsync(descriptor):
        if stat.S_ISDIR(os.fstat(descriptor).st_mode):
            raise OSError(number, os.strerror(number))
        original(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)
    write_atomically(tmp_path / "file", b"new")
    assert os.listdir(tmp_path) == ["file"]


def test_a_name_of_255_bytes_can_be_written(tmp_path):
    write_atomically(tmp_path / ("n" * 255), b"new")
    assert os.listdir(tmp_path) == ["n" * 255]


def test_a_link_stays_and_what_it_leads_to_is_replaced(tmp_path):
    (tmp_path / "place").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "place" / "file")
    for data in (b"first", b"second"):
        write_atomically(tmp_path / "link", data)
        assert (tmp_path / "place" / "file").read_bytes() == data
    assert (tmp_path / "link").is_symlink()


def test_a_pipe_is_written_to_and_stays(tmp_path):
    path = tmp_path / "pipe"
    os.mkfifo(path)
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    write_atomically(path, b"data")
    assert os.read(reader, 10) == b"data"
    os.close(reader)
    assert path.is_fifo()


def test_threads_that_write_the_same_file_leave_one_of_theirs(tmp_path):
    contents = [bytes([number]) * 100_000 for number in range(8)]
    threads = [
        threading.Thread(target=write_atomically, args=(tmp_path / "file", data))
        for data in contents
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (tmp_path / "file").read_bytes() in contents
    assert os.listdir(tmp_path) == ["file"]


def test_what_was_left_is_removed_and_what_is_being_written_is_not(tmp_path):
    (tmp_path / ".skd-00112233445566aa.part").write_text("left")
    (tmp_path / ".skd-00112233445566bb.part" / "train").mkdir(parents=True)
    (tmp_path / ".skd-notes.part").write_text("the user's")
    with TemporaryFile(tmp_path) as file, TemporaryFolder(tmp_path) as folder:
        write_atomically(tmp_path / "new", b"")
        here = {file.path.name, folder.path.name}
        assert set(os.listdir(tmp_path)) == {"new", ".skd-notes.part"} | here
    assert set(os.listdir(tmp_path)) == {"new", ".skd-notes.part"}


def test_without_locks_files_are_written_and_nothing_is_removed(tmp_path, monkeypatch):
    def flock(descriptor, operation):
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr("fcntl.flock", flock)
    left = tmp_path / ".skd-00112233445566aa.part"
    left.write_text("another process may write it")
    write_atomically(tmp_path / "new", b"new")
    assert set(os.listdir(tmp_path)) == {"new", left.name}


def test_a_temporary_that_another_takes_for_left_is_made_anew(tmp_path, monkeypatch):
    original, calls = os.stat, []

    def stat_after_removal(path, *arguments, **options):
        if not calls and str(path).endswith(".part"):
            calls.append(path)
            os.unlink(path)
        return original(path, *arguments, **options)

    monkeypatch.setattr(os, "stat", stat_after_removal)
    write_atomically(tmp_path / "file", b"new")
    assert len(calls) == 1
    assert os.listdir(tmp_path) == ["file"]


def test_errors_of_reading_are_not_taken_for_errors_of_writing(tmp_path):
    with pytest.raises(FileNotFoundError), atomic_folder(tmp_path / "to"):
        (tmp_path / "none").read_bytes()
    assert os.listdir(tmp_path) == []


def test_a_temporary_file_that_does_not_fit_is_refused_with_its_size(tmp_path, monkeypatch):
    monkeypatch.setattr(_parts, "IN_MEMORY", 0)
    parts = data_files.make_parts(84)
    data_files.write_tiered(tmp_path, parts)
    with file_size_limit(1000), pytest.raises(skd.WriteError, match=r"It needs .* bytes; TMPDIR"):
        skd.datasets.load("tiered-imagenet", tmp_path)
