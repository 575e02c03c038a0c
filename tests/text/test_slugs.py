"""The slug of a workspace: what is one, and which one is proposed for a name."""

import pytest

from webapp.text.slugs import InvalidSlug, is_slug, propose_slug, read_slug


@pytest.mark.parametrize("slug", ["a", "7", "harbor-2", "-a", "a" * 63])
def test_a_slug_has_lowercase_letters_digits_and_hyphens(slug: str) -> None:
    assert read_slug(slug) == slug


@pytest.mark.parametrize("text", ["", "-", "Yard", "ship yard", "schiff-ä", "²", "a" * 64, "yard\0", "yard\n", "*"])
def test_any_other_text_is_none(text: str) -> None:
    assert not is_slug(text)
    with pytest.raises(InvalidSlug):
        read_slug(text)


@pytest.mark.parametrize("name", ["Harbor Logistics", "Häfen & Straße!", "Überall " * 20, "東京", ""])
def test_what_is_proposed_is_a_slug(name: str) -> None:
    assert is_slug(propose_slug(name))
