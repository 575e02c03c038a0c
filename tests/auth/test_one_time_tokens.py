"""Tokens of links that work once."""

import pytest

from webapp.auth.one_time_tokens import TOKEN_LENGTH, hash_token, is_token, make_token


def test_each_token_is_new_and_has_the_form_of_one() -> None:
    tokens = {make_token() for _ in range(1000)}

    assert len(tokens) == 1000
    assert {(len(token), is_token(token)) for token in tokens} == {(TOKEN_LENGTH, True)}


@pytest.mark.parametrize("text", ["", "x" * 31, "x" * 33, "x" * 31 + "\0", "x" * 31 + "é", "x" * 31 + " "])
def test_other_texts_are_no_tokens(text: str) -> None:
    assert not is_token(text)


def test_a_hash_is_of_one_token_and_one_purpose(context: None) -> None:
    token = make_token()
    stored = hash_token(token, "invitation")

    assert token not in stored
    assert hash_token(token, "invitation") == stored
    assert hash_token(token, "set-up") != stored
    assert hash_token(make_token(), "invitation") != stored
