"""What is written is read as the same; what YAML 1.1 gets wrong is right."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dasheng.train import yaml_text

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
    | st.sampled_from(["1e-4", "1E5", ".5e3", "null", "yes", "1:30", "0x1", "# a", "- a", "{0..3}"])
)
TREES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=8,
)


@settings(deadline=None)
@given(TREES)
def test_what_is_written_is_read_as_the_same(tree: Any) -> None:
    assert yaml_text.load(yaml_text.dump(tree)) == tree


@pytest.mark.parametrize("text", ["1e-4", "1E-4", "1.e-4", "+1e-4", ".1e-3", "1.0e-4"])
def test_a_number_with_an_exponent_is_a_number(text: str) -> None:
    assert yaml_text.load(f"lr: {text}") == {"lr": 1e-4}
    assert yaml_text.load(f"lr: '{text}'") == {"lr": text}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("a: 1\nb: 2\na: 3\n", "line 3: a stands there twice"),
        ("a: 1\nb: [2\n", "line 3: expected"),
        ("a: !!python/object:os.system {}", "line 1: could not determine a constructor"),
        ("a: \x00", "unacceptable character"),
    ],
)
def test_what_is_no_yaml_is_told_in_one_line(text: str, told: str) -> None:
    with pytest.raises(ValueError, match=told) as error:
        yaml_text.load(text)
    assert "\n" not in str(error.value)
