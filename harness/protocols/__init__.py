"""How embeddings are judged: one file per protocol, all of them listed here."""

from harness.problem import Protocol
from harness.protocols.knn import KNN

PROTOCOLS: dict[str, Protocol] = {protocol.name: protocol for protocol in (KNN,)}
