"""The training loop: batches → model → loss → optimiser, to the last step or until asked to stop.

A step's random numbers follow from the seed, its number and the process, the batches from the seed
and their place in the stream. So a run that was stopped and goes on ends with the weights of one
that was not. Nothing in a step waits for the device: losses stay there until they are logged.
"""

from __future__ import annotations

import math
import shlex
from datetime import timedelta
from itertools import chain, islice
from pathlib import Path
from typing import Any

import numpy as np
import torch
from accelerate import Accelerator
from accelerate.utils import broadcast_object_list, gather_object
from torch import Tensor
from torch.distributed.tensor import DTensor

from dasheng.train import batches, model, optimizer, run_folder, schedule, state
from dasheng.train.companions import companions
from dasheng.train.config import TrainConfig
from dasheng.train.evaluation import Evaluation
from dasheng.train.log import Log
from dasheng.train.losses import Losses, NotFinite
from dasheng.train.pace import Pace
from dasheng.train.processes import accelerate, prepare, same_buffers
from dasheng.train.stop import Stop
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
    folder = run_folder.new(config) if found is None else found.parents[1]
    folder = Path(broadcast_object_list([str(folder)])[0])
    progress: dict[str, Any] = {"step": 0, "losses": [], "positions": None}
    if found is not None:
        progress |= state.progress_of(found)
        state.check(progress, config, accelerator.num_processes)
    with (
        state.storage_errors(f"the files of {folder}"),
        Stop() as stop,
        Log(accelerator, folder, config, progress["step"]) as log,
    ):
        # First, for it refuses what cannot be: a run that does not begin leaves no folder.
        training = Training(config, accelerator, folder, log, progress)
        if found is not None:
            state.load(accelerator, found)
        if accelerator.is_main_process:
            run_folder.make(folder, config)
        accelerator.wait_for_everyone()
        log.begin()
        try:
            training.run(stop)
        except NotFinite as error:
            kept = state.latest(folder)
            raise UserError(
                f"{error}; try a lower optimizer_args.lr or a max_grad_norm of 1"
                + (f", and go on with --resume {kept}" if kept else "")
            ) from None
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
        self.losses = Losses(accelerator, progress["losses"])
        rank, positions = accelerator.process_index, progress["positions"]
        self.batches = batches.TrainingBatches(
            config,
            rank=rank,
            world=accelerator.num_processes,
            position=positions[rank] if positions else None,
        )
        torch.manual_seed(config.seed)
        autoencoder = model.build(config)
        encoder = autoencoder.encoder.config
        self.model, self.optimizer = prepare(
            accelerator,
            config,
            autoencoder,
            optimizer.build(autoencoder.parameters(), config, accelerator.device),
        )
        self.evaluation = Evaluation(config, accelerator, self.model, encoder, log, folder)
        self.pace = Pace(config, accelerator.num_processes)
        _, self.bad, self.reasons = self._members()

    def run(self, stop: Stop) -> None:
        """Train to the last step and average the best; or, asked to stop, leave a state.

        Raises:
            NotFinite: a loss is; neither a state nor an encoder is written after it.
        """
        self.log.line(self._description())
        stream = iter(self.batches)
        try:
            while not stop.agreed():
                if self.evaluation.due(self.step):
                    with self.pace.paused():
                        self.losses.read(self.step)
                        self.evaluation.at(self.step, stop)
                    if stop.agreed():  # to be evaluated again
                        break
                if self._done:
                    self._finish()
                    return
                norm = self._train_step(list(islice(stream, self._micro_steps)))
                if norm is not None and self._logged:
                    self._report(norm)
                if self._done or self.step % self.config.state_every == 0:
                    self._save_state()
            self._leave()
        finally:
            self.batches.close()

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
        self.losses.add(total / len(audio))
        self.pace.step()
        return norm

    @property
    def _logged(self) -> bool:
        """Whether the step just done has a line."""
        return self.step % self.config.log_every == 0 or self._done

    @property
    def _done(self) -> bool:
        return self.step == self.config.total_steps

    def _report(self, norm: Tensor) -> None:
        """A line of the log on the steps since the last one."""
        loss = self.losses.mean(self.step)  # waits for the device, so that the pace is its own
        speed, per_step = self.pace.lap()
        values = {
            "epoch": self.step / self.config.epoch_length,
            "loss": loss,
            "grad_norm": _number(norm),
            "lr": self.optimizer.param_groups[0]["lr"],
            "audio_per_second": speed,
            "seconds_left": per_step * (self.config.total_steps - self.step),
        }
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

    def _members(self) -> tuple[int, int, list[str]]:
        """How many members of the shards all processes have read, how many are bad, and why."""
        mine = (self.batches.read, self.batches.bad, list(self.batches.reasons))
        read, bad, reasons = zip(*gather_object([mine]), strict=True)
        return sum(read), sum(bad), list(dict.fromkeys(chain(*reasons)))

    def _report_bad(self) -> None:
        """Members that could not be read, where there are new ones."""
        read, bad, reasons = self._members()
        if bad > self.bad:
            new = [reason for reason in reasons if reason not in self.reasons]
            self.log.line(
                f"warning: {bad:,} of {read:,} members could not be read"
                + (f": {'; '.join(new)}" if new else "")
            )
            self.bad, self.reasons = bad, reasons

    def _save_state(self) -> Path:
        """A state of all processes, after the losses were found to be numbers."""
        with self.pace.paused():
            losses = self.losses.read(self.step)
            same_buffers(self.accelerator, self.model)
            progress = {
                "step": self.step,
                "losses": losses,
                "positions": gather_object([self.batches.position]),
                "processes": self.accelerator.num_processes,
                "config": state.settings(self.config),
            }
            return state.save(self.accelerator, self.folder, progress)

    def _leave(self) -> None:
        """Stop early."""
        kept = self._save_state()
        several = self.accelerator.num_processes > 1
        words = [str(self.folder / "config.yaml"), "--resume", str(kept.parents[1])]
        self.log.line(
            f"stopped at step {self.step:,} of {self.config.total_steps:,}; go on with: "
            f"{'accelerate launch …' if several else 'python'} -m dasheng.train {shlex.join(words)}"
        )

    def _finish(self) -> None:
        """Average the best encoders, and say what there is."""
        self._report_bad()
        read, bad, _ = self._members()
        if not self.accelerator.is_main_process:
            return
        made = self.evaluation.saved.average() if self.config.average_final_model else None
        if self.config.average_final_model and made is None:
            self.log.line("no average: without cv_data no encoder is known to be among the best")
        self.log.line(
            f"done: {read:,} members read, {bad:,} of them bad; "
            f"the encoder is {made or self.folder / 'last.safetensors'}"
        )

    def _description(self) -> str:
        accelerator = self.accelerator
        return (
            f"{self.folder}: {self.config.total_steps:,} steps, {self.step:,} done; "
            f"{accelerator.num_processes} × {accelerator.device.type}, "
            f"mixed precision {accelerator.mixed_precision}"
        )


def seed_step(seed: int, step: int, process: int) -> None:
    """Make PyTorch's random numbers follow from these three alone."""
    torch.manual_seed(int(np.random.SeedSequence([seed, step, process]).generate_state(1)[0]))


def _number(x: Tensor) -> float:
    """A scalar that may be shared out over processes."""
    return float(x.full_tensor() if isinstance(x, DTensor) else x)
