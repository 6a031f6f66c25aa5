"""What is kept of the test clips, against a task small enough to count by hand."""

from dataclasses import replace

import numpy as np
import pandas as pd

import tasks
from harness.embed import Embeddings
from harness.predictions import Predictions
from harness.problem import Fold, Outcome, Problem
from harness.protocols.knn import KNN
from harness.tested import predictions
from tasks.prepare import Index

LABELS = [["x"], ["x"], ["y"], ["x"], ["y"], ["y"]]
ROWS = np.array([[0.0], [1.0], [10.0], [0.4], [10.1], [11.5]], np.float32) * np.ones(3, np.float32)


def posed() -> tuple[Index, Embeddings, Problem]:
    clips = pd.DataFrame({"id": list("abcdef"), "labels": LABELS})
    index = Index(replace(tasks.load("esc50"), classes=2), clips, ("x", "y"), "cd", "official")
    first, second = np.arange(3), np.arange(3, 6)
    nobody = np.zeros(0, np.int64)
    folds = (Fold("fold1", second, nobody, first), Fold("fold2", first, nobody, second))
    problem = Problem(
        embeddings=ROWS,
        targets=np.array([0, 0, 1, 0, 1, 1]),
        folds=folds,
        classes=2,
        metric="accuracy",
        device="cpu",
        seed=0,
    )
    embeddings = Embeddings(
        values=ROWS,
        kept=np.arange(6),
        skipped={},
        padded=0,
        audio_seconds=6.0,
        seconds=0.0,
        computed=6,
        computed_seconds=6.0,
    )
    return index, embeddings, problem


def test_every_test_clip_is_named_once_with_its_neighbours() -> None:
    index, embeddings, problem = posed()
    found = predictions(index, embeddings, problem, KNN.solve(problem))
    assert isinstance(found, Predictions)
    assert list(found.ids) == list("abcdef")
    assert list(found.folds) == ["fold1"] * 3 + ["fold2"] * 3
    assert list(found.targets) == [0, 0, 1, 0, 1, 1]
    assert found.scores.shape == (6, 2)
    assert list(found.classes) == ["x", "y"]
    assert found.plane.shape == (6, 2)
    # Three clips are in the other fold: all of them are neighbours, the nearest first.
    assert ["".join(near) for near in found.neighbours] == [
        *("def", "def", "efd"),
        *("abc", "cba", "cba"),
    ]
    assert list(found.neighbour_labels[0]) == ["x", "y", "y"]


def test_a_protocol_without_neighbours_keeps_none() -> None:
    index, embeddings, problem = posed()
    right = tuple(np.eye(2, dtype=np.float32)[problem.targets[f.test]] for f in problem.folds)
    found = predictions(index, embeddings, problem, Outcome(scores=right))
    assert isinstance(found, Predictions)
    assert found.neighbours.shape == found.neighbour_labels.shape == (0, 0)
