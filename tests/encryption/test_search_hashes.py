"""The hashes of the search: separate for each kind, workspace and key, and of no use without the key."""

from cryptography.fernet import Fernet

from webapp.encryption.search_hashes import SearchHashes

OLD, NEW = Fernet.generate_key().decode(), Fernet.generate_key().decode()


def test_the_same_value_has_the_same_hash_in_the_same_workspace() -> None:
    assert SearchHashes([NEW]).make("host", 1, "example.com") == SearchHashes([NEW]).make("host", 1, "example.com")


def test_another_kind_workspace_value_or_key_gives_another_hash() -> None:
    new, old = SearchHashes([NEW]), SearchHashes([OLD])
    hashes = [
        new.make("host", 1, "example.com"),
        new.make("domain", 1, "example.com"),
        new.make("host", 2, "example.com"),
        new.make("host", 1, "example.org"),
        old.make("host", 1, "example.com"),
    ]

    assert len(set(hashes)) == len(hashes)


def test_what_was_stored_with_an_earlier_key_is_searched_for_too() -> None:
    stored = [
        SearchHashes([OLD]).make("host", 1, "example.com"),
        SearchHashes([NEW, OLD]).make("host", 1, "example.com"),
    ]

    assert set(stored) == set(SearchHashes([NEW, OLD]).make_all("host", 1, "example.com"))


def test_a_mark_tells_the_key_and_no_list_of_other_keys_has_the_same_mark_of_unreadable_settings() -> None:
    assert SearchHashes([OLD]).marks[0] in SearchHashes([NEW, OLD]).marks
    assert SearchHashes([NEW]).unreadable_mark != SearchHashes([NEW, OLD]).unreadable_mark
