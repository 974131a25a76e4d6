"""Work in a forked process: quick to begin, and free to die."""

import os
import pickle
import select
import signal
import traceback

import skd

SECONDS = 60
#: A folder whose disk is none, so that flushing takes no time, where the system has one.
MEMORY = "/dev/shm" if os.path.isdir("/dev/shm") else None


def in_child(work, *arguments, may_die=False, kill_after=None):
    """Return what a function returns in a forked process.

    This process must not have begun to compute: threads do not survive a fork. With `may_die`, the
    answer is a pair: the number of the signal that ended the process, or 0, and what was returned.
    The process is killed after some seconds, if `kill_after` says so.
    """
    reader, writer = os.pipe()
    child = os.fork()
    if not child:
        _answer(writer, work, arguments)
    os.close(writer)
    with os.fdopen(reader, "rb") as pipe:
        if kill_after is not None and not select.select([pipe], [], [], kill_after)[0]:
            os.kill(child, signal.SIGKILL)
        answer = pipe.read()
    _, status = os.waitpid(child, 0)
    ended = os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0
    if ended and not may_die:
        raise ChildProcessError(f"signal {ended}")
    value = pickle.loads(answer) if not ended else None
    if isinstance(value, _Failure):
        raise ChildProcessError(str(value))
    return (ended, value) if may_die else value


class _Failure(str):
    """A traceback."""

    __slots__ = ()


def _answer(writer, work, arguments):
    """Work, and write what is returned into a pipe; it never returns."""
    signal.alarm(SECONDS)  # ends a process that hangs
    skd.set_num_threads(1)
    try:
        answer = work(*arguments)
    except BaseException:
        answer = _Failure(traceback.format_exc())
    with os.fdopen(writer, "wb") as pipe:
        pickle.dump(answer, pipe)
    os._exit(0)
