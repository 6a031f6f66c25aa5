"""Random weights as a HEAR module: an encoder as it was before it learned anything.

The row without which no claim about training is made. A transformer with random weights is a
strong encoder: it keeps what the log-mel spectrum knows, mixed, and a probe finds it. So this is
not noise but tiny's own architecture, with the very weights that its run began with, and one thing
of the trained model's: the mean and variance of each mel bin (its batch norm's statistics). To have
them takes audio but no training, and without them the opponent is not the strongest there is.

The numbers come from PyTorch's generator on the CPU: the same on any machine with the same PyTorch.
"""

import torch

from dasheng import hear
from dasheng.encoder import Dasheng

SEED = 42  # of a run of the trainer, unless it is configured otherwise

get_scene_embeddings = hear.get_scene_embeddings
get_timestamp_embeddings = hear.get_timestamp_embeddings


def load_model(model_file_path: str = "") -> Dasheng:
    """A random encoder, in evaluation mode, on the CPU.

    Args:
        model_file_path: of the trained encoder that it is like: what `dasheng.hear.load_model`
            reads; "" for tiny. `random:FILE` is what any run of the trainer has to beat.

    Raises:
        ValueError, OSError, UserError: there is no such encoder.
    """
    trained = hear.load_model(model_file_path or "tiny")
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(SEED)  # torch.manual_seed would seed GPUs for good
        model = Dasheng(trained.config)
    for name, statistic in trained.init_bn.named_buffers():
        model.init_bn.get_buffer(name).copy_(statistic)
    return model.eval()
