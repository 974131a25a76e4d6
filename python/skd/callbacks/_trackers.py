"""Logging to Weights & Biases and MLflow, if they are installed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from skd.callbacks.metrics import EVERY_STEPS, MetricsCallback
from skd.training import RunStart


class WeightsAndBiases(MetricsCallback):
    """Logs a run to Weights & Biases; needs the package ``wandb``.

    Parameters
    ----------
    project : str
        Name of the project.
    config : mapping, optional
        Configuration of the run that is shown.
    every_steps : int, default=10
        Number of steps between two logged steps; every epoch is logged.
    **options
        Further arguments of ``wandb.init``, such as ``name`` and ``id``.

    Raises
    ------
    ImportError
        If ``wandb`` is missing.
    """

    def __init__(
        self,
        project: str,
        *,
        config: Mapping[str, Any] | None = None,
        every_steps: int = EVERY_STEPS,
        **options: Any,
    ) -> None:
        super().__init__(every_steps=every_steps)
        import wandb

        self._wandb: Any = wandb
        self._options = {"project": project, "config": dict(config or {}), **options}
        self._run: Any = None

    def on_begin(self, start: RunStart) -> None:
        """Open the run."""
        super().on_begin(start)
        self._run = self._wandb.init(**self._options)

    def log(self, metrics: dict[str, float], step: int) -> None:
        """Log some numbers; see `MetricsCallback.log`."""
        self._run.log(metrics, step=step)

    def on_end(self, error: BaseException | None) -> None:
        """Close the run, as failed if it ended early."""
        if self._run is not None:
            self._run.finish(exit_code=0 if error is None else 1)


class MLflow(MetricsCallback):
    """Logs a run to MLflow; needs the package ``mlflow``.

    Parameters
    ----------
    experiment : str
        Name of the experiment.
    config : mapping, optional
        Parameters to log; nested tables are flattened to names with dots.
    run_name : str, optional
        Name of the run; by default MLflow chooses one.
    every_steps : int, default=10
        Number of steps between two logged steps; every epoch is logged.

    Raises
    ------
    ImportError
        If ``mlflow`` is missing.
    """

    def __init__(
        self,
        experiment: str,
        *,
        config: Mapping[str, Any] | None = None,
        run_name: str | None = None,
        every_steps: int = EVERY_STEPS,
    ) -> None:
        super().__init__(every_steps=every_steps)
        import mlflow

        self._mlflow: Any = mlflow
        self._experiment, self._run_name = experiment, run_name
        self._parameters = _flat(config or {})

    def on_begin(self, start: RunStart) -> None:
        """Open the run."""
        super().on_begin(start)
        self._mlflow.set_experiment(self._experiment)
        self._mlflow.start_run(run_name=self._run_name)
        self._mlflow.log_params(self._parameters)

    def log(self, metrics: dict[str, float], step: int) -> None:
        """Log some numbers; see `MetricsCallback.log`."""
        self._mlflow.log_metrics(metrics, step=step)

    def on_end(self, error: BaseException | None) -> None:
        """Close the run, as finished, killed or failed."""
        early = "KILLED" if isinstance(error, KeyboardInterrupt) else "FAILED"
        self._mlflow.end_run(status="FINISHED" if error is None else early)


def _flat(table: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Return the entries of nested tables, with their keys joined by dots."""
    entries: dict[str, Any] = {}
    for name, value in table.items():
        if isinstance(value, Mapping):
            entries.update(_flat(value, f"{prefix}{name}."))
        else:
            entries[prefix + name] = value
    return entries
