"""How embeddings are judged: one file per protocol, all of them listed here."""

from harness.problem import Protocol
from harness.protocols.hear2021 import HEAR2021, HEAR2021_STRICT
from harness.protocols.knn import KNN
from harness.protocols.linear import LINEAR

PROTOCOLS: dict[str, Protocol] = {
    protocol.name: protocol for protocol in (KNN, LINEAR, HEAR2021, HEAR2021_STRICT)
}
