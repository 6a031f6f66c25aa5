"""What the user typed to say which encoder: the module and the checkpoint that it means.

A spec is an alias (a row of the tables), a door (`hf:`, `xares:`), the name of a HEAR module, one
with a checkpoint (`module:checkpoint`), or a checkpoint file of Dasheng's.
"""

import difflib
import re
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from harness.errors import UserError

ALIASES: dict[str, str] = {
    "base": "dasheng.hear:base",
    "0.6B": "dasheng.hear:0.6B",
    "1.2B": "dasheng.hear:1.2B",
    "melspec": "harness.encoders.melspec",
    "audiomae": "harness.encoders.audiomae",
    "ced-base": "harness.encoders.ced",
    "msm-mae": "harness.encoders.msm_mae",
    "whisper-base": "harness.encoders.whisper",
    "wavlm-large": "harness.encoders.wavlm",
    "wav2vec2-large-100k-voxpopuli": "harness.encoders.wav2vec2",
    "data2vec-audio-large": "harness.encoders.data2vec",
}
DOORS: dict[str, str] = {
    "hf": "harness.encoders.hf",  # hf:org/name[@revision][#layer]
    "xares": "harness.encoders.xares",  # xares:path.py
}
CHECKPOINT_MODULE = "dasheng.hear"  # reads a checkpoint file given without a module
_MODULE_NAME = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*")


@dataclass(frozen=True)
class Target:
    """The module and the checkpoint that a spec means."""

    module: str
    checkpoint: str

    def results_name(self, weights_sha256: str) -> str:
        """The name that results are kept under: it tells other weights apart."""
        whole = f"{self.module}:{self.checkpoint}".rstrip(":")
        for alias, meaning in ALIASES.items():
            if whole == meaning:
                return alias
        if not self.checkpoint:
            return self.module
        path = Path(self.checkpoint)
        name = f"{path.stem}-{weights_sha256[:8]}" if path.exists() else self.checkpoint
        if not path.exists() or self.module != CHECKPOINT_MODULE:
            names = {module: door for door, module in DOORS.items()}
            name = f"{names.get(self.module, self.module)}-{name}"
        return re.sub(r"[^\w.+-]", "-", name)


def resolve(spec: str) -> Target:
    """Split a spec into module and checkpoint; raises UserError where it cannot be either."""
    if spec not in ALIASES and Path(spec).is_file():
        return Target(CHECKPOINT_MODULE, spec)
    module, _, checkpoint = ALIASES.get(spec, spec).partition(":")
    if module in DOORS:
        if not checkpoint:
            raise UserError(f"expected what is behind {module}: (a name, a file), found nothing")
        return Target(DOORS[module], checkpoint)
    if not _MODULE_NAME.fullmatch(module):
        unknown(spec)
    return Target(module, checkpoint)


def unknown(spec: str) -> NoReturn:
    """Refuse a spec that nothing is known by."""
    known = list(ALIASES) + [meaning for meaning in ALIASES.values() if ":" not in meaning]
    close = difflib.get_close_matches(spec, [*known, CHECKPOINT_MODULE], n=1)
    hint = f"; did you mean {close[0]!r}?" if close else ""
    raise UserError(
        f"unknown model {spec!r}{hint}; expected one of {', '.join(ALIASES)}, hf:org/name, "
        "xares:file.py, a HEAR module on the path as module or module:checkpoint, or a checkpoint "
        "file that exists"
    )
