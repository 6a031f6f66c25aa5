"""Every row of the tables through real tasks, with random weights as large as the published.

    python -m tests.bench.every_row DATA [row…]

DATA holds esc10 and fsdd. Runs `python -m harness run --tasks esc10,fsdd --limit 200 --protocols
knn,linear` for each row and prints its scores: what random features of each architecture give,
and that nothing stands in a row's way.
"""

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tabulate import tabulate

from tests.bench.rows import write
from tests.harness.encoders.rows import ROWS

TASKS, PROTOCOLS = "esc10,fsdd", "knn,linear"


def run(row: str, data: Path) -> list[str]:
    """One line of the table."""
    with tempfile.TemporaryDirectory() as name:
        folder, start = Path(name), time.perf_counter()
        spec = write(row, folder)
        command = [sys.executable, "-m", "harness", "run", "--tasks", TASKS, "--model", spec]
        command += ["--protocols", PROTOCOLS, "--limit", "200", "--data", str(data)]
        command += ["--cache", str(folder / "cache"), "--results", str(folder / "results")]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        records = [json.loads(file.read_text()) for file in (folder / "results").glob("*/*/*.json")]
    scores = {(r["task"]["name"], r["protocol"]["name"]): r["score"] for r in records}
    wanted = [(task, way) for task in TASKS.split(",") for way in PROTOCOLS.split(",")]
    parameters = f"{records[0]['model']['parameters'] / 1e6:.1f}"
    shown = [f"{100 * scores[one]:.1f}" for one in wanted]
    return [row, parameters, *shown, f"{time.perf_counter() - start:.0f}"]


def main(data: Path, names: list[str]) -> None:
    """Print a line per row."""
    heads = ["row", "parameters M"]
    heads += [f"{task} {way}" for task in TASKS.split(",") for way in PROTOCOLS.split(",")]
    table = []
    for row in names or ROWS:
        table.append(run(row, data))
        print(table[-1], file=sys.stderr, flush=True)
    print(tabulate(table, [*heads, "s"], disable_numparse=True))


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
