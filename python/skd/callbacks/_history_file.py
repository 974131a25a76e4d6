"""History of a run as a CSV file."""

from __future__ import annotations

from os import PathLike

from skd import _validation as check
from skd._files.atomic import write_atomically
from skd._files.changes import remove_file
from skd.history import EpochRecord, epoch_columns
from skd.training import Callback, RunStart


class HistoryFile(Callback):
    """Writes the epochs of a run into a CSV file, one line each.

    The file is written atomically, and after a resumed run it holds every epoch once.

    Parameters
    ----------
    path : str or path
        CSV file in an existing folder; an existing file is replaced when training begins.

    Examples
    --------
    >>> history = HistoryFile("history.csv")  # gen0.fit(..., callbacks=[history])
    """

    def __init__(self, path: str | PathLike[str]) -> None:
        self.path = check.output_file(path, "path", "HistoryFile")
        self._records: list[EpochRecord] = []

    def on_begin(self, start: RunStart) -> None:
        """Write the epochs of the run so far."""
        self._records = list(start.records)
        self._write()

    def on_epoch(self, record: EpochRecord) -> None:
        """Write one more epoch."""
        self._records.append(record)
        self._write()

    def _write(self) -> None:
        import csv
        import io

        rows = [epoch_columns(record) for record in self._records]
        if not rows:
            remove_file(self.path)
            return
        text = io.StringIO()
        writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
        write_atomically(self.path, text.getvalue().encode())
