"""What happens between steps: the encoder is validated, kept, and tried on tasks."""

from __future__ import annotations

import math
from pathlib import Path

import torch
from accelerate import Accelerator
from torch import Tensor, nn

from dasheng.blocks import EncoderConfig
from dasheng.encoder import Dasheng
from dasheng.train.batches import validation_batches
from dasheng.train.config import TrainConfig
from dasheng.train.log import Log
from dasheng.train.probe import probe
from dasheng.train.processes import encoder_state, same_buffers
from dasheng.train.saved import Saved
from dasheng.train.stop import Stop
from dasheng.train.validation import validate


class Evaluation:
    """Of a run on all its processes; the main one writes."""

    def __init__(
        self,
        config: TrainConfig,
        accelerator: Accelerator,
        model: nn.Module,
        encoder: EncoderConfig,
        log: Log,
        folder: Path,
    ) -> None:
        self._config, self._accelerator, self._model = config, accelerator, model
        self._encoder, self._log, self._folder = encoder, log, folder
        self.saved = Saved(folder, config.n_saved)

    def due(self, step: int) -> bool:
        """Whether there is anything to do after so many steps; after most there is not."""
        return validated_at(step, self._config) or tried_at(step, self._config)

    def at(self, step: int, stop: Stop) -> None:
        """Do what is due; asked to stop, it does not wait for scores."""
        validated, tried = validated_at(step, self._config), tried_at(step, self._config)
        same_buffers(self._accelerator, self._model)
        loss = self._validate(step) if validated and self._config.cv_data else math.nan
        weights = encoder_state(self._accelerator, self._model)
        if self._accelerator.is_main_process:
            if validated:
                self.saved.keep(weights, self._encoder, loss, step)
            if tried:
                self._try(weights, step, stop)
        self._accelerator.wait_for_everyone()

    def _validate(self, step: int) -> float:
        accelerator = self._accelerator
        held_out = validation_batches(
            self._config, rank=accelerator.process_index, world=accelerator.num_processes
        )
        model = accelerator.unwrap_model(self._model)
        values = validate(model, held_out, accelerator, self._config)
        self._log.record(
            "valid",
            step,
            values,
            f"validation loss {values['loss']:.4f} on {values['crops']:,} crops  "
            f"(each patch's mean {values['mean_floor']:.4f}, "
            f"nearest kept patch {values['copy_floor']:.4f})",
        )
        return values["loss"]

    def _try(self, weights: dict[str, Tensor], step: int, stop: Stop) -> None:
        with torch.device("meta"):
            encoder = Dasheng(self._encoder)
        encoder.load_state_dict(weights, assign=True)
        scores = probe(encoder, self._folder, step, self._config, stop)
        if scores:
            told = "  ".join(f"{name} {score:.3f}" for name, score in scores.items())
            self._log.record("probe", step, scores, told)


def validated_at(step: int, config: TrainConfig) -> bool:
    """Each `valid_every` epochs and at the end."""
    epochs, rest = divmod(step, config.epoch_length)
    return step == config.total_steps or (step > 0 and not rest and not epochs % config.valid_every)


def tried_at(step: int, config: TrainConfig) -> bool:
    """Each `eval_every` steps, at the end, and before the first step: where the curve begins."""
    if not config.eval_tasks:
        return False
    return step == config.total_steps or not step % (config.eval_every or config.epoch_length)
