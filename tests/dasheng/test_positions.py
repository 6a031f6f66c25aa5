"""Sinusoids tell how far apart two positions are, wherever they lie."""

import torch

from dasheng.positions import sinusoids


def test_their_products_depend_on_the_distance_alone() -> None:
    table = sinusoids(60, 32)
    products = table @ table.T
    for distance in (0, 1, 5, 30):
        along = products.diagonal(distance)
        torch.testing.assert_close(along, along[:1].expand_as(along), atol=1e-4, rtol=0)
    assert products[0, 0] > products[0, 1] > products[0, 3]
