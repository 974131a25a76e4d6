"""A limit of the size of files, which stands for a full disk."""

import resource
from contextlib import contextmanager


@contextmanager
def file_size_limit(size):
    """Let no file of this process grow larger.

    The limit must end within the test: as soon as a test has returned, pytest writes its progress,
    perhaps to a file.
    """
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
