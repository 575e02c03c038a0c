"""The prefix of keys in Redis: derived from the secret key, or set by the administrator."""

import pytest

from webapp.environment.redis_prefix import check_redis_prefix, derive_redis_prefix

KEY = "a key for tests, long enough to sign with"


def test_each_secret_key_has_its_own_prefix_and_always_the_same() -> None:
    assert derive_redis_prefix(KEY) == derive_redis_prefix(KEY) == "alertcheck-b15c8aa49fef"
    assert derive_redis_prefix(f"{KEY}.") != derive_redis_prefix(KEY)


def test_a_derived_prefix_is_a_valid_one() -> None:
    assert check_redis_prefix(derive_redis_prefix(KEY)) == derive_redis_prefix(KEY)


@pytest.mark.parametrize(
    ("text", "prefix"),
    [("a", "a"), ("Team_1.alertcheck-x", "Team_1.alertcheck-x"), ("a::", "a"), ("x" * 64, "x" * 64)],
)
def test_a_prefix_may_have_letters_digits_and_some_marks(text: str, prefix: str) -> None:
    assert check_redis_prefix(text) == prefix


@pytest.mark.parametrize("text", [":", "a:b", "*", "a*", "a b", "{a}", "[a]", "a/b", "\u00e4", "-a", 65 * "x", "a\n"])
def test_a_prefix_that_an_acl_or_rq_could_not_use_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="letters, digits"):
        check_redis_prefix(text)
