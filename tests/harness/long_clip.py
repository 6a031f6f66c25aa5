"""Embed what lies in FOLDER/clips by timestamps in a process of its own; tell its peak memory.

    python -m tests.harness.long_clip FOLDER MODEL

Prints a JSON object: bytes of resident memory at most, rows, the last time (ms), and seconds of
CPU that embedding took.
"""

import json
import sys
import time
from pathlib import Path

from harness.cache import Cache
from harness.embed import Settings, embed
from harness.encoder import load
from tests.harness.clips import prepare_clips


def peak() -> int:
    """Bytes. Not `ru_maxrss`: that of a child begins at the size of the process it came from."""
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    return 1024 * int(status["VmHWM"].split()[0])


def main(folder: Path, model: str) -> None:
    index = prepare_clips(folder, timestamps=True)
    encoder = load(model, "cpu")
    start = time.process_time()
    found = embed(index, encoder, Cache(folder / "cache"), Settings(), lambda done, total: None)
    seconds = time.process_time() - start
    facts = {"rows": len(found.values), "last": found.times[-1], "seconds": seconds}
    print(json.dumps({"peak": peak(), **facts}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
