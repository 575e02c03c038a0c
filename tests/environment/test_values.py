"""Single values: numbers, flags and lists as operators write them."""

from datetime import timedelta

import pytest

from webapp.environment.values import read_flag, read_number, read_retry_delays


@pytest.mark.parametrize(("text", "number"), [("0", 0), ("007", 7), ("20", 20)])
def test_a_number_up_to_the_most_is_read(text: str, number: int) -> None:
    assert read_number(most=20, example=1)(text) == number


@pytest.mark.parametrize(
    "text", ["21", "-1", "+1", "1.0", "1,0", "1_0", "1e1", "0x1", "10s", "10 s", "ten", "²", "٣", "true", "9" * 30, ""]
)
def test_any_other_number_is_refused_with_the_range_and_an_example(text: str) -> None:
    with pytest.raises(
        ValueError, match=r"^has to be a whole number from 0 to 20, without a unit, such as 3\. Count them\.$"
    ):
        read_number(most=20, example=3, note="Count them.")(text)


@pytest.mark.parametrize("word", ["TRUE", "Yes", "oN", "1"])
def test_the_case_of_a_flag_does_not_matter(word: str) -> None:
    assert read_flag(word) is True


@pytest.mark.parametrize("text", ["60,1800", " 60 , 1800 ,", "60\n1800", "60 1800", "60,\r\n1800\r\n"])
def test_a_list_of_seconds_may_have_blanks_and_line_breaks(text: str) -> None:
    assert read_retry_delays(text) == (timedelta(minutes=1), timedelta(minutes=30))


@pytest.mark.parametrize("text", ["60s", "1m,5m", "60,300s"])
def test_seconds_with_a_unit_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="has to be seconds, such as 60,300,1800, without units"):
        read_retry_delays(text)
