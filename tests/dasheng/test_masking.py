import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from dasheng.masking import random_mask

shapes = st.tuples(
    st.integers(1, 3), st.integers(2, 300), st.floats(0.01, 0.99), st.integers(1, 9)
).filter(lambda shape: shape[1] > shape[3])


@settings(deadline=None)
@given(shapes)
def test_ids_restore_inverts_the_shuffle(shape) -> None:
    clips, tokens, ratio, group = shape
    mask = random_mask(clips, tokens, ratio, group=group)
    kept = mask.ids_keep.shape[1]
    for row in range(clips):
        removed = [place for place in range(tokens) if mask.removed[row, place]]
        assert sorted(mask.ids_keep[row].tolist() + removed) == list(range(tokens))
        order = sorted(range(tokens), key=mask.ids_restore[row].tolist().__getitem__)
        assert order[:kept] == mask.ids_keep[row].tolist()
        assert sorted(order) == list(range(tokens))


@settings(deadline=None)
@given(shapes)
def test_whole_groups_are_kept_or_removed(shape) -> None:
    clips, tokens, ratio, group = shape
    removed = random_mask(clips, tokens, ratio, group=group).removed
    whole = tokens // group * group
    groups = removed[:, :whole].view(clips, -1, group)
    assert torch.equal(groups.all(dim=2), groups.any(dim=2))
    assert removed[:, whole:].all()
    wanted = tokens * (1 - ratio)
    kept = (~removed).sum(dim=1)
    assert (kept == kept[0]).all()
    assert 0 < kept[0] < tokens
    assert abs(kept[0] - wanted) < group + 1 or kept[0] == group or whole == kept[0] + group


def test_the_published_number_is_kept() -> None:
    """62 of the 250 tokens of 10 s, as `int(250 · 0.25)` says, in groups or not."""
    for group in (1, 2):
        assert random_mask(2, 250, 0.75, group=group).ids_keep.shape == (2, 62)


@pytest.mark.parametrize("group", [1, 2, 5])
def test_the_mask_is_uniform(group: int) -> None:
    """Each group is as likely to be kept as any other, and so is each pair of groups."""
    clips, groups = 6000, 8
    generator = torch.Generator().manual_seed(1)
    mask = random_mask(clips, groups * group, 0.75, group=group, generator=generator)
    kept = ~mask.removed.view(clips, groups, group)[..., 0]
    assert (kept.sum(dim=1) == 2).all()
    first, second = kept.nonzero()[:, 1].view(clips, 2).T
    pairs = torch.bincount(first * groups + second, minlength=groups**2).view(groups, groups)
    counts = pairs[torch.ones(groups, groups).triu(1).bool()]
    assert stats.chisquare(counts.numpy()).pvalue > 0.001
    # The order of encoding is random too: the first kept token may be any.
    counts = torch.bincount(mask.ids_keep[:, 0] // group, minlength=groups)
    assert stats.chisquare(counts.numpy()).pvalue > 0.001


def test_a_clip_is_masked_on_its_own_and_by_the_generator() -> None:
    draw = [random_mask(4, 100, generator=torch.Generator().manual_seed(s)) for s in (0, 0, 1)]
    assert torch.equal(draw[0].removed, draw[1].removed)
    assert not torch.equal(draw[0].removed, draw[2].removed)
    assert not torch.equal(draw[0].removed[0], draw[0].removed[1])


@pytest.mark.parametrize(("tokens", "group"), [(1, 1), (2, 2), (3, 4)])
def test_too_few_tokens(tokens: int, group: int) -> None:
    with pytest.raises(ValueError, match=f"more than {group} tokens, .* found {tokens}"):
        random_mask(1, tokens, group=group)


@pytest.mark.parametrize("ratio", [0.0, 1.0, -0.5, 75])
def test_an_impossible_ratio(ratio: float) -> None:
    with pytest.raises(ValueError, match="mask_ratio must lie between 0 and 1"):
        random_mask(1, 10, ratio)
