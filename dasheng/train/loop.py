"""The training loop: batches → model → loss → optimiser, to the last step or until asked to stop.

A step's random numbers follow from the seed, its number and the process, the batches from the seed
and their place in the stream. So a run that was stopped and goes on ends with the weights of one
that was not. Nothing in a step waits for the device: losses stay there until they are logged.
"""

from __future__ import annotations

import math
import uuid
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import torch
from accelerate import Accelerator
from accelerate.utils import broadcast_object_list, gather_object
from torch import Tensor
from torch.distributed.tensor import DTensor

from dasheng.encoder import Dasheng
from dasheng.train import batches, model, optimizer, schedule, state
from dasheng.train.companions import companions
from dasheng.train.config import TrainConfig
from dasheng.train.log import Log
from dasheng.train.pace import Pace
from dasheng.train.probe import probe
from dasheng.train.processes import accelerate, encoder_state, prepare, same_buffers
from dasheng.train.saved import Saved
from dasheng.train.stop import Stop
from dasheng.train.validation import validate
from tasks.errors import UserError


def train(config: TrainConfig, *, resume: Path | None = None) -> Path:
    """Train as configured; on several processes when started by `accelerate launch`.

    Args:
        config: all there is to a run.
        resume: a run folder, or one of its states, to go on from.

    Returns:
        The run folder: `last.safetensors`, `best_*`, `averaged.safetensors`, logs and states. It is
        returned as well where SIGTERM or Ctrl-C stopped the run early, at a state.

    Raises:
        UserError: the configuration does not fit the data or the run to resume, the loss is no
            number any more, or the disk is full. The states taken before are complete.
    """
    with companions():
        accelerator = accelerate(config)
        try:
            return _train(config, accelerator, resume)
        finally:
            accelerator.end_training()


def _train(config: TrainConfig, accelerator: Accelerator, resume: Path | None) -> Path:
    """`train` with the processes there."""
    found = None if resume is None else state.find(resume)
    folder = _new_folder(config) if found is None else found.parents[1]
    folder = Path(broadcast_object_list([str(folder)])[0])
    progress: dict[str, Any] = {"step": 0, "losses": [], "positions": None}
    if found is not None:
        progress |= state.progress_of(found)
        state.check(progress, config, accelerator.num_processes)
    with state.storage_errors(f"the files of {folder}"):
        if accelerator.is_main_process:
            folder.mkdir(parents=True, exist_ok=True)
            (folder / "config.yaml").write_text(config.as_yaml(), encoding="utf-8")
        accelerator.wait_for_everyone()
        with Stop() as stop, Log(accelerator, folder, config, progress["step"]) as log:
            training = Training(config, accelerator, folder, log, progress)
            if found is not None:
                state.load(accelerator, found)
            training.run(stop)
    return folder


class Training:
    """A run on this process, between two steps."""

    def __init__(
        self,
        config: TrainConfig,
        accelerator: Accelerator,
        folder: Path,
        log: Log,
        progress: dict[str, Any],
    ) -> None:
        """`progress`: `step`, how many are done; `losses` since the last line; `positions`."""
        self.config, self.accelerator, self.folder, self.log = config, accelerator, folder, log
        self.step = progress["step"]
        self.losses: list[float] = progress["losses"]
        torch.manual_seed(config.seed)
        autoencoder = model.build(config)
        self.encoder_config = autoencoder.encoder.config
        self.model, self.optimizer = prepare(
            accelerator,
            config,
            autoencoder,
            optimizer.build(autoencoder.parameters(), config, accelerator.device),
        )
        rank, positions = accelerator.process_index, progress["positions"]
        self.batches = batches.TrainingBatches(
            config,
            rank=rank,
            world=accelerator.num_processes,
            position=positions[rank] if positions else None,
        )
        self.saved = Saved(folder, config.n_saved)
        self.pace = Pace(config, accelerator.num_processes)
        self.pending: list[Tensor] = []
        self.bad = 0

    def run(self, stop: Stop) -> None:
        """Train to the last step and average the best; or, asked to stop, leave a state."""
        self.log.line(f"{self.folder}: {self.config.total_steps:,} steps, {self.step:,} done")
        stream = iter(self.batches)
        try:
            while True:
                if stop.agreed():
                    self._leave()
                    return
                self._evaluate()
                if self._done:
                    break
                if stop.agreed():
                    self._leave()
                    return
                norm = self._train_step([next(stream) for _ in range(self._micro_steps)])
                if norm is not None and self._logged:
                    self._report(norm)
                if self._done or self.step % self.config.state_every == 0:
                    self._save_state()
        finally:
            self.batches.close()
        self._finish()

    @property
    def _micro_steps(self) -> int:
        return self.config.gradient_accumulation_steps

    def _train_step(self, audio: list[Tensor]) -> Tensor | None:
        """One step of the optimiser on the gradient of all batches; its norm where it is known."""
        accelerator, config = self.accelerator, self.config
        seed_step(config.seed, self.step, accelerator.process_index)
        for group in self.optimizer.param_groups:
            group["lr"] = schedule.learning_rate(self.step, config)
        total = torch.zeros((), device=accelerator.device)
        for batch in audio:
            with accelerator.accumulate(self.model):
                with accelerator.autocast():
                    loss = self.model(batch.to(accelerator.device, non_blocking=True))
                accelerator.backward(loss)
                total += loss.detach()
        self.step += 1
        norm = None
        if config.max_grad_norm is not None or self._logged:
            bound = math.inf if config.max_grad_norm is None else config.max_grad_norm
            norm = accelerator.clip_grad_norm_(self.model.parameters(), bound)
        self.optimizer.step()
        self.optimizer.zero_grad()
        self.pending.append(total / len(audio))
        self.pace.step()
        return norm

    @property
    def _logged(self) -> bool:
        """Whether the step just done has a line."""
        return self.step % self.config.log_every == 0 or self._done

    @property
    def _done(self) -> bool:
        return self.step == self.config.total_steps

    def _read_losses(self) -> None:
        """Bring the losses of the last steps over from the device, each the mean of all processes.

        Raises:
            UserError: one is no finite number.
        """
        if not self.pending:
            return
        seen = self.accelerator.reduce(torch.stack(self.pending), "mean").tolist()
        for step, loss in enumerate(seen, start=self.step - len(seen) + 1):
            if not math.isfinite(loss):
                kept = state.latest(self.folder)
                raise UserError(
                    f"the loss of step {step} is {loss}; try a lower optimizer_args.lr or a "
                    "max_grad_norm (1.0), "
                    + (f"with --resume {kept}" if kept else "from the start")
                )
        self.losses += seen
        self.pending.clear()

    def _report(self, norm: Tensor) -> None:
        """A line of the log on the steps since the last one."""
        self._read_losses()
        speed, per_step = self.pace.lap()
        values = {
            "epoch": self.step / self.config.epoch_length,
            "loss": sum(self.losses) / len(self.losses),
            "grad_norm": _number(norm),
            "lr": schedule.learning_rate(self.step - 1, self.config),
            "audio_per_second": speed,
            "seconds_left": per_step * (self.config.total_steps - self.step),
        }
        self.losses.clear()
        left = timedelta(seconds=round(values["seconds_left"]))
        self.log.record(
            "train",
            self.step,
            values,
            f"epoch {values['epoch']:.2f}  loss {values['loss']:.4f}  "
            f"|g| {values['grad_norm']:.2f}  lr {values['lr']:.2e}  "
            f"{speed:,.0f} s/s  {left} left",
        )
        self._report_bad()

    def _report_bad(self) -> None:
        """Members of the shards that could not be read, where there are new ones."""
        mine = (self.batches.bad, self.batches.read, list(self.batches.reasons))
        told = gather_object([mine])
        bad, read = sum(one[0] for one in told), sum(one[1] for one in told)
        if bad > self.bad:
            reasons = "; ".join(dict.fromkeys(reason for one in told for reason in one[2]))
            self.log.line(f"warning: {bad:,} of {read:,} members could not be read: {reasons}")
            self.bad = bad

    def _evaluate(self) -> None:
        """Validate, keep the encoder, and try it on tasks, where the step has any of it."""
        config, step = self.config, self.step
        epochs, rest = divmod(step, config.epoch_length)
        validated = self._done or (step > 0 and not rest and epochs % config.valid_every == 0)
        tried = config.eval_tasks and (
            self._done or step % (config.eval_every or config.epoch_length) == 0
        )
        if not (validated or tried):
            return
        with self.pace.paused():
            same_buffers(self.accelerator, self.model)
            loss = self._validate() if validated and config.cv_data else math.nan
            weights = encoder_state(self.accelerator, self.model)
            if self.accelerator.is_main_process:
                if validated:
                    self.saved.keep(weights, self.encoder_config, loss, step)
                if tried:
                    self._probe(weights)
            self.accelerator.wait_for_everyone()

    def _validate(self) -> float:
        accelerator = self.accelerator
        held_out = batches.validation_batches(
            self.config, rank=accelerator.process_index, world=accelerator.num_processes
        )
        values = validate(accelerator.unwrap_model(self.model), held_out, accelerator, self.config)
        self.log.record(
            "valid",
            self.step,
            values,
            f"validation loss {values['loss']:.4f} on {values['crops']:,} crops  "
            f"(each patch's mean {values['mean_floor']:.4f}, "
            f"nearest kept patch {values['copy_floor']:.4f})",
        )
        return values["loss"]

    def _probe(self, weights: dict[str, Tensor]) -> None:
        with torch.device("meta"):
            encoder = Dasheng(self.encoder_config)
        encoder.load_state_dict(weights, assign=True)
        scores = probe(encoder, self.folder, self.step, self.config)
        if scores:
            told = "  ".join(f"{name} {score:.3f}" for name, score in scores.items())
            self.log.record("probe", self.step, scores, told)

    def _save_state(self) -> Path:
        """A state of all processes, after the losses were found to be numbers."""
        with self.pace.paused():
            self._read_losses()
            same_buffers(self.accelerator, self.model)
            progress = {
                "step": self.step,
                "losses": self.losses,
                "positions": gather_object([self.batches.position]),
                "processes": self.accelerator.num_processes,
                "config": state.settings(self.config),
            }
            return state.save(self.accelerator, self.folder, progress)

    def _leave(self) -> None:
        """Stop early."""
        kept = self._save_state()
        several = self.accelerator.num_processes > 1
        self.log.line(
            f"stopped at step {self.step:,} of {self.config.total_steps:,}; go on with: "
            f"{'accelerate launch …' if several else 'python'} -m dasheng.train "
            f"{self.folder / 'config.yaml'} --resume {kept.parents[1]}"
        )

    def _finish(self) -> None:
        """Average the best encoders, and say what there is."""
        self._report_bad()
        if not self.accelerator.is_main_process:
            return
        made = self.saved.average() if self.config.average_final_model else None
        if self.config.average_final_model and made is None:
            self.log.line("no average: without cv_data no encoder is known to be among the best")
        self.log.line(
            f"done: {self.batches.read:,} members read, {self.bad:,} of them bad; "
            f"the encoder is {made or self.folder / 'last.safetensors'}"
        )


def seed_step(seed: int, step: int, process: int) -> None:
    """Make PyTorch's random numbers follow from these three alone."""
    torch.manual_seed(int(np.random.SeedSequence([seed, step, process]).generate_state(1)[0]))


def _number(x: Tensor) -> float:
    """A scalar that may be shared out over processes."""
    return float(x.full_tensor() if isinstance(x, DTensor) else x)


def _new_folder(config: TrainConfig) -> Path:
    """A folder of this run's own, named as the published trainer names it."""
    return config.runs / f"{datetime.now():%Y-%m-%d_%H-%M}_{uuid.uuid4().hex}"
