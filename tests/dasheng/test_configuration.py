"""Published configurations are read; what cannot be done is refused by name."""

import pytest

from dasheng.configuration import parse


def test_published_words_and_defaults() -> None:
    config = parse(
        {"embed_dim": 96, "patch_size": [64, 4], "patch_stride": [64, 4], "pooling": "mean"}
        | {"group_masking": True, "eval_avg": "cat", "center": True}
    )
    assert (config.embed_dim, config.patch_size, config.depth) == (96, (64, 4), 12)


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"pooling": "token"}, "pooling='token' is not supported, expected 'mean'"),
        ({"center": False}, "center=False"),
        ({"patch_stride": [64, 2]}, "patches do not overlap"),
        ({"patch_size": 16}, "patch_size"),
    ],
)
def test_what_is_not_supported_is_named(setting: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        parse(setting)


def test_unknown_settings_are_passed_over_in_a_file_and_refused_from_a_person() -> None:
    assert parse({"depth": 3, "time_patch_out": 0.5, "transformers_version": "4"}).depth == 3
    with pytest.raises(ValueError, match=r"unknown setting embed_dmi; expected .*embed_dim"):
        parse({}, {"embed_dmi": 96})


def test_overrides_win_over_the_file() -> None:
    config = parse({"target_length": 1008, "num_heads": 8}, {"target_length": 504})
    assert (config.target_length, config.num_heads) == (504, 8)
