"""What the user typed to say which encoder: the module and the checkpoint that it means.

A spec is an alias (a row of the tables), a door (`hf:`, `xares:`), the name of a HEAR module, one
with a checkpoint (`module:checkpoint`), or a checkpoint file of Dasheng's. Behind `hf:` is a name
on the Hugging Face hub or a folder, with a revision and hidden layers where they are given:
`org/name@revision#layers`, `folder#layers`.
"""

import difflib
import re
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from harness.errors import UserError

ALIASES: dict[str, str] = {
    "tiny": "dasheng.hear:tiny",
    "base": "dasheng.hear:base",
    "0.6B": "dasheng.hear:0.6B",
    "1.2B": "dasheng.hear:1.2B",
    "random": "harness.encoders.random",
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
    "hf": "harness.encoders.hf",  # hf:org/name[@revision][#layers]
    "xares": "harness.encoders.xares",  # xares:path.py
}
FORMS = (  # of a spec, besides the aliases
    ("hf:org/name[@revision][#layers]", "any audio model of transformers; hf:folder likewise"),
    ("xares:path.py", "any X-ARES encoder file"),
    ("module[:checkpoint]", "any HEAR module on the path"),
    ("ALIAS:FILE, FILE", "a checkpoint of one of the rows above; of Dasheng's"),
)
CHECKPOINT_MODULE = "dasheng.hear"  # reads a checkpoint file given without a module
_MODULE_NAME = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*")
_ON_THE_HUB = re.compile(r"([\w.-]+(?:/[\w.-]+)?)(?:@([^#]+))?(?:#(.+))?")


@dataclass(frozen=True)
class Repository:
    """What is behind `hf:`: a folder or a name on the hub, and which hidden layers of the model.

    `revision` is None where none was given; `layers` is "" for the model's output.
    """

    name: str
    revision: str | None = None
    layers: str = ""


@dataclass(frozen=True)
class Target:
    """The module and the checkpoint that a spec means."""

    module: str
    checkpoint: str

    @property
    def path(self) -> Path | None:
        """The file or folder that the checkpoint is, or None where it is neither."""
        repository = self._repository
        path = Path(repository.name)
        return path if repository.name and not repository.revision and path.exists() else None

    def results_name(self, sha256: str) -> str:
        """The name that results are kept under: it tells other weights, code and layers apart.

        A model of the hub has the digest of both in it, as a file has: a branch may move, and so
        `org/name@6` is another than `org/name-6`, and `org/name#6`, with the 6 behind it, a third.
        """
        whole = f"{self.module}:{self.checkpoint}".rstrip(":")
        for alias, meaning in ALIASES.items():
            if whole == meaning:
                return alias
        if not self.checkpoint:
            return self.module
        path, name, behind = self.path, self.checkpoint, self._repository
        if path is not None or self.module == DOORS["hf"]:
            stem = "-".join(filter(None, (behind.name, behind.revision)))
            if path is not None:
                stem = path.absolute().name if path.is_dir() else path.stem
            name = "-".join(filter(None, (stem, sha256[:8], behind.layers)))
        if path is None or self.module != CHECKPOINT_MODULE:
            names = {module: name for name, module in (ALIASES | DOORS).items()}
            name = f"{names.get(self.module, self.module)}-{name}"
        return re.sub(r"[^\w.+-]", "-", name)

    @property
    def _repository(self) -> Repository:
        """The checkpoint in its parts; of another door or module, it has one."""
        behind_hf = self.module == DOORS["hf"] and self.checkpoint
        return repository(self.checkpoint) if behind_hf else Repository(self.checkpoint)


def repository(text: str) -> Repository:
    """Part what is behind `hf:`; raises UserError where it can be neither a folder nor a name."""
    if Path(text).is_dir():
        return Repository(text)
    folder, _, layers = text.rpartition("#")
    if folder and layers and Path(folder).is_dir():
        return Repository(folder, None, layers)
    parts = _ON_THE_HUB.fullmatch(text)
    if parts is None:
        raise UserError(
            "expected hf:org/name[@revision][#layers], or hf:folder[#layers] with a folder that "
            f"exists, found 'hf:{text}'"
        )
    return Repository(parts[1], parts[2], parts[3] or "")


def resolve(spec: str) -> Target:
    """Split a spec into module and checkpoint; raises UserError where it cannot be either."""
    if spec not in ALIASES and Path(spec).is_file():
        return Target(CHECKPOINT_MODULE, spec)
    module, _, checkpoint = ALIASES.get(spec, spec).partition(":")
    opens = DOORS | {alias: row for alias, row in ALIASES.items() if ":" not in row}
    if module in opens:
        if not checkpoint:
            raise UserError(f"expected what is behind {module}: (a name, a file), found nothing")
        return Target(opens[module], checkpoint)
    if not _MODULE_NAME.fullmatch(module):
        unknown(spec)
    return Target(module, checkpoint)


def unknown(spec: str) -> NoReturn:
    """Refuse a spec that nothing is known by."""
    modules = [meaning for meaning in ALIASES.values() if ":" not in meaning]
    known = {name.casefold(): name for name in (*ALIASES, *modules, CHECKPOINT_MODULE)}
    meant = spec.casefold().replace("_", "-")
    close = [known[name] for name in known if meant and name.startswith(meant)]
    close += [known[name] for name in difflib.get_close_matches(spec.casefold(), known, n=1)]
    hint = f"; did you mean {close[0]!r}?" if close else ""
    raise UserError(
        f"unknown model {spec!r}{hint}; expected one of {', '.join(ALIASES)}, hf:org/name, "
        "xares:file.py, a HEAR module on the path as module or module:checkpoint, or a checkpoint "
        "file that exists"
    )
