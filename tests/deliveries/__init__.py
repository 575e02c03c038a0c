import pytest

pytest.register_assert_rewrite(
    "tests.deliveries.paused_attempts", "tests.deliveries.reference_model", "tests.deliveries.model_runner"
)
