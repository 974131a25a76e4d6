"""The training loop of `fit`."""

from __future__ import annotations

import time
from contextlib import nullcontext
from typing import Any, NoReturn

from skd._files.hashes import state_sha256
from skd.datasets.episode_size import largest_episode
from skd.errors import NonFiniteLossError
from skd.evaluation import EvaluationResult, evaluate
from skd.history import EpochRecord, History, Losses
from skd.training._batches import Batches
from skd.training._callback import RunStart, StepRecord, listening
from skd.training._checkpoints import Checkpoints
from skd.training._display import Display
from skd.training._options import VALIDATION_EPISODES, FitOptions
from skd.training._progress import Progress
from skd.training._run_identity import recipe
from skd.training._signals import Stopped, StopRequests
from skd.training._trainer import Trainer


def fit(trainer: Trainer, options: FitOptions) -> History:
    """Run the epochs; see `Objective.fit`."""
    folder, ranks = options.checkpoint_dir, trainer.ranks
    if ranks.size > 1:
        ranks.require_equal(_identity(trainer, options), f"{type(trainer).__name__}.fit")
    checkpoints = None if folder is None else Checkpoints(trainer, options, folder)
    progress = Progress() if checkpoints is None else checkpoints.begin()
    trainer.model.normalization = (options.split.mean, options.split.std)
    steps = options.steps_per_epoch
    first = (progress.epoch - 1) * steps + progress.step
    start = RunStart(
        objective=type(trainer).__name__,
        epochs=options.epochs,
        steps_per_epoch=steps,
        batch_size=options.batch_size,
        steps_done=first,
        records=tuple(progress.records),
        val_every=None if options.val is None else options.val_every,
    )
    with (
        nullcontext() if checkpoints is None else checkpoints.naming_the_newest(),
        Display(start, wanted=options.progress and ranks.is_first) as display,
        Batches(options, ranks, first) as batches,
        listening(options.callbacks, start),
        StopRequests(wanted=checkpoints is not None) as stop,
    ):
        run = _Run(trainer, options, progress, checkpoints, batches, stop, display)
        while progress.epoch <= options.epochs and not run.is_over:
            run.epoch()
    return History(tuple(progress.records))


def _identity(trainer: Trainer, options: FitOptions) -> dict[str, Any]:
    """Return the values that must be equal on all ranks."""
    return {
        **recipe(trainer, options),
        "epochs": options.epochs,
        "checkpoint_dir": options.checkpoint_dir is not None,
        "save_every_steps": options.save_every_steps,
        "resume": options.resume,
        **dict(zip(("model", "trainer"), map(state_sha256, trainer.snapshot()), strict=True)),
    }


def _broadcast_running_statistics(trainer: Trainer) -> None:
    """Take over the first rank's running statistics, if each rank has its own."""
    if trainer.ranks.size == 1 or trainer.sync_batch_norm:
        return
    with trainer._native.locked():
        state = trainer.model.state_dict()
        running = {name: state[name] for name in state if ".running_" in name}
        trainer.model.load_state_dict({**state, **trainer.ranks.broadcast(running)})


class _Run:
    """One call of `fit`."""

    def __init__(
        self,
        trainer: Trainer,
        options: FitOptions,
        progress: Progress,
        checkpoints: Checkpoints | None,
        batches: Batches,
        stop: StopRequests,
        display: Display,
    ) -> None:
        self._trainer, self._options, self._progress = trainer, options, progress
        self._checkpoints, self._batches, self._stop = checkpoints, batches, stop
        self._display = display

    def epoch(self) -> None:
        """Train the rest of an epoch, validate and save; or save and stop after a signal."""
        trainer, options, progress = self._trainer, self._options, self._progress
        while progress.step < options.steps_per_epoch:
            try:
                self._step()
            except Stopped:
                self._save_and_stop()
            if self._must_stop():
                self._save_and_stop()
            if self._is_due():
                self._save()
        _broadcast_running_statistics(trainer)
        try:
            with self._stop.may_break_off(wanted=self._is_alone):
                validation = self._validate()
        except Stopped:
            self._save_and_stop()
        images = options.steps_per_epoch * options.batch_size
        record = EpochRecord(
            epoch=progress.epoch,
            learning_rate=trainer.learning_rate,
            losses=progress.mean,
            seconds=progress.seconds,
            images_per_second=images / progress.seconds,
            validation=validation,
        )
        self._display.epoch(record)
        progress.complete(record)
        if self._checkpoints is not None:
            self._checkpoints.save_best(progress.records)
        self._save()
        try:
            with (
                self._stop.may_break_off(wanted=self._is_alone),
                trainer.ranks.raise_on_all_ranks(),
            ):
                for listener in options.callbacks:
                    listener.on_epoch(record)
        except Stopped:
            self._deliver()
        if not self._is_alone and self._must_stop():
            self._deliver()

    def _step(self) -> None:
        progress = self._progress
        start = time.perf_counter()
        images, labels = self._batches.take()
        self._trainer.learning_rate = self._options.learning_rate(
            progress.epoch, progress.step + 1, self._trainer.optimizer.lr
        )
        try:
            losses = self._trainer.step(images, labels, image_size=images.shape[1])
        except NonFiniteLossError as error:
            if self._checkpoints is not None:
                error.checkpoint = self._checkpoints.newest
            raise
        seconds = time.perf_counter() - start
        progress.add(losses)
        progress.seconds += seconds
        if self._options.callbacks:
            with self._stop.may_break_off(wanted=self._is_alone, at_once=False):
                for listener in self._options.callbacks:
                    listener.on_step(self._record(losses, seconds))
        rate = progress.step * self._options.batch_size / progress.seconds
        self._display.step(progress.epoch, progress.mean, rate)

    def _record(self, losses: Losses, seconds: float) -> StepRecord:
        progress, steps = self._progress, self._options.steps_per_epoch
        return StepRecord(
            epoch=progress.epoch,
            step=progress.step,
            steps_done=(progress.epoch - 1) * steps + progress.step,
            learning_rate=self._trainer.learning_rate,
            losses=losses,
            seconds=seconds,
        )

    def _validate(self) -> EvaluationResult | None:
        """Evaluate 1-shot episodes of the validation split, as large as it allows."""
        options, epoch = self._options, self._progress.epoch
        val = options.val
        if val is None or (epoch % options.val_every != 0 and epoch != options.epochs):
            return None
        ranks, size = self._trainer.ranks, largest_episode(val)
        with ranks.errors_on_all_ranks():  # evaluate reports an error of one rank on all
            return evaluate(
                self._trainer.model,
                val,
                n_way=size.n_way,
                n_query=size.n_query,
                n_episodes=VALIDATION_EPISODES,
                n_support_copies=1,
                support_augmentation="none",
                seed=options.seed,
                communicator=ranks.communicator,
            )

    def _is_due(self) -> bool:
        """Whether a checkpoint follows this step; after the last of an epoch one always does."""
        every, progress, steps = (
            self._options.save_every_steps,
            self._progress,
            self._options.steps_per_epoch,
        )
        if every is None or progress.step == steps:
            return False
        return ((progress.epoch - 1) * steps + progress.step) % every == 0

    def _save(self) -> None:
        if self._checkpoints is not None:
            self._checkpoints.save(self._progress)

    def _save_and_stop(self) -> NoReturn:
        self._save()
        self._deliver()

    @property
    def _is_alone(self) -> bool:
        """Whether this is the only rank, so that work can be interrupted at any moment."""
        return self._trainer.ranks.size == 1

    @property
    def is_over(self) -> bool:
        """Whether a callback of any rank ends the training before the next epoch."""
        wanted = any(listener.should_stop for listener in self._options.callbacks)
        return self._trainer.ranks.largest(int(wanted)) > 0

    def _must_stop(self) -> bool:
        """Whether a signal has asked this process, or another rank, to stop."""
        if self._checkpoints is None:
            return False
        number = self._trainer.ranks.largest(self._stop.requested or 0)
        if number:
            self._stop.requested = number
        return number > 0

    def _deliver(self) -> NoReturn:
        with self._trainer.ranks.errors_on_all_ranks():
            self._stop.deliver()
