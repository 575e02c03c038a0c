"""Tags: read from what people type, stored in one form."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webapp.text.tags import COLORS, MAX_TAG_LENGTH, MAX_TAGS, TagsInvalid, color_of, join_tags, read_tags, split_tags


@pytest.mark.parametrize(
    ("typed", "tags"),
    [
        ("", ()),
        (" , ;\n", ()),
        ("Prod", ("prod",)),
        ("night shift, EU; eu\nProd", ("eu", "night shift", "prod")),
        ("ok\u202eevil\x00", ("okevil",)),
        ("<b>", ("<b>",)),
    ],
)
def test_tags_are_read_from_what_people_type(typed: str, tags: tuple[str, ...]) -> None:
    assert read_tags(typed) == tags


@pytest.mark.parametrize("typed", ["x" * (MAX_TAG_LENGTH + 1), ",".join(map(str, range(MAX_TAGS + 1)))])
def test_too_long_and_too_many_tags_are_refused_in_a_sentence(typed: str) -> None:
    with pytest.raises(TagsInvalid, match=r"at most \d+"):
        read_tags(typed)


@given(st.text(max_size=200))
def test_tags_come_back_as_they_were_stored(typed: str) -> None:
    try:
        tags = read_tags(typed)
    except TagsInvalid:
        return
    assert split_tags(join_tags(tags)) == tags
    assert len(join_tags(tags)) <= 400
    assert read_tags(", ".join(tags)) == tags
    assert all(color_of(tag) in range(COLORS) for tag in tags)
