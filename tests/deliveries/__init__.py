import pytest

pytest.register_assert_rewrite("tests.deliveries.flights", "tests.deliveries.ledger", "tests.deliveries.walks")
