"""Laws that every implementation of a port keeps."""

import pytest

pytest.register_assert_rewrite("tests.conformance.store_suite")
