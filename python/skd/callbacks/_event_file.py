"""Event files of TensorBoard: each record is a length, its checksum, a message, its checksum.

tensorboardX creates the messages and the checksums. Its writer is not used, because it writes in a
thread behind a queue: if that thread fails, training deadlocks on the full queue.
"""

from __future__ import annotations

import itertools
import os
import socket
import struct
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from skd._files.changes import make_folder
from skd._files.open_files import AppendedFile

FILE_VERSION = "brain.Event:2"


class EventFile:
    """A new event file in a folder, which is created.

    Parameters
    ----------
    folder : Path
        Folder that TensorBoard reads.
    purge_step : int, optional
        First step of earlier files in the folder that is discarded.
    """

    def __init__(self, folder: Path, *, purge_step: int | None = None) -> None:
        from tensorboardX.proto.event_pb2 import Event, SessionLog

        self._event = Event
        first = [Event(wall_time=time.time(), file_version=FILE_VERSION)]
        if purge_step is not None:
            started = SessionLog(status=SessionLog.START)
            first.append(Event(wall_time=time.time(), step=purge_step, session_log=started))
        make_folder(folder)
        self._file = AppendedFile(_unused_name(folder), b"".join(map(_record, first)))

    def add_scalars(self, values: Mapping[str, float], step: int) -> None:
        """Append one number for each name."""
        from tensorboardX.summary import scalar

        now = time.time()
        events = (
            self._event(wall_time=now, step=step, summary=scalar(name, value))
            for name, value in values.items()
        )
        self._file.append(b"".join(map(_record, events)))

    def sync(self) -> None:
        """Flush the file to the disk."""
        self._file.sync()

    def close(self) -> None:
        """Flush the file to the disk and close it."""
        self._file.close()


def _unused_name(folder: Path) -> Path:
    """Return a file name that TensorBoard finds and sorts after those of earlier files."""
    stem = f"events.out.tfevents.{int(time.time()):010}.{socket.gethostname()}.{os.getpid()}"
    names = (folder / f"{stem}.{count}" for count in itertools.count())
    return next(path for path in names if not path.exists())


def _record(event: Any) -> bytes:
    """Return the bytes of one record."""
    from tensorboardX.record_writer import masked_crc32c

    message: bytes = event.SerializeToString()
    length = struct.pack("<Q", len(message))
    sums = (struct.pack("<I", masked_crc32c(part)) for part in (length, message))
    return length + next(sums) + message + next(sums)
