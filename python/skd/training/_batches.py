"""The batches of `fit`."""

from __future__ import annotations

import math
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType

import numpy as np
from numpy.typing import NDArray

from skd import _native
from skd._files.mapped import require_whole
from skd.distributed.ranks import Ranks
from skd.training._options import BATCHES_HELD, FitOptions

Batch = tuple[NDArray[np.float32], NDArray[np.int64]]


class Batches:
    """Batches in order, each augmented while the one before is in use.

    A batch depends on its number alone: order and augmentation are keyed by epoch and position.
    So training can begin anywhere, and prefetching changes nothing. Each rank augments only its
    slice of a batch.
    """

    def __init__(self, options: FitOptions, ranks: Ranks, first: int) -> None:
        """Start at batch number `first`, counted from 0 over all epochs."""
        self._options = options
        split = options.split
        self._mean, self._std = (
            np.array(values, dtype=np.float32) for values in (split.mean, split.std)
        )
        self._own = ranks.slice_of(options.batch_size)
        largest = max(options.image_sizes)
        count = (self._own.stop - self._own.start) * largest * largest * split.images.shape[3]
        self._buffers = [np.empty(count, dtype=np.float32) for _ in range(BATCHES_HELD)]
        self._order = np.empty(len(split), dtype=np.int64)
        self._epoch_of_order = 0
        self._next = first
        self._total = options.steps_per_epoch * options.epochs
        self._executor = (
            ThreadPoolExecutor(max_workers=1, thread_name_prefix="skd-augment")
            if options.prefetch
            else None
        )
        self._ahead: Future[Batch] | None = None

    def __enter__(self) -> Batches:
        """Start to augment the first batch."""
        self._look_ahead()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Stop the augmenting thread, also after an interrupt."""
        if self._executor is not None:
            self._executor.shutdown()

    def take(self) -> Batch:
        """Return the next batch, whose images are valid until the next call."""
        ahead = self._ahead
        batch = self._augmented(self._next) if ahead is None else ahead.result()
        self._next += 1
        self._look_ahead()
        return batch

    def _look_ahead(self) -> None:
        if self._executor is not None and self._next < self._total:
            try:
                self._ahead = self._executor.submit(self._augmented, self._next)
            except RuntimeError:  # the system has no more threads, or Python is about to end
                self._executor = self._ahead = None

    def _augmented(self, number: int) -> Batch:
        options, split = self._options, self._options.split
        epoch, step = number // options.steps_per_epoch + 1, number % options.steps_per_epoch
        if epoch != self._epoch_of_order:
            _native.shuffle(options.seed, epoch, self._order)
            self._epoch_of_order = epoch
        size = options.batch_size
        positions = self._order[step * size : (step + 1) * size][self._own].copy()
        side = options.image_size(epoch)
        shape = (len(positions), side, side, split.images.shape[3])
        images = self._buffers[number % BATCHES_HELD][: math.prod(shape)].reshape(shape)
        _native.augment(
            split.images,
            positions,
            None,
            options.mode,
            options.padding,
            options.flip,
            options.seed,
            epoch,
            False,
            self._mean,
            self._std,
            images,
        )
        require_whole(split.images)
        return images, split.labels[positions]
