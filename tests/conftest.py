"""How hard hypothesis looks: quickly at the desk, thoroughly in CI, until morning at night.

HYPOTHESIS_PROFILE names the profile; without it, CI decides between `ci` and `dev`.
"""

import os
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, settings

# No deadline anywhere: a slow machine is not a broken law. pytest-timeout bounds the whole test.
settings.register_profile("dev", max_examples=50, deadline=None, print_blob=True)
settings.register_profile(
    "ci",
    max_examples=200,
    deadline=None,
    print_blob=True,
    derandomize=True,  # a red build must be red again when it is run again
    suppress_health_check=[HealthCheck.too_slow],
)
settings.register_profile(
    "night",
    max_examples=10_000,
    deadline=None,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
)
profile = "ci" if os.environ.get("CI") else "dev"
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", profile))


@pytest.fixture
def figure(record_property: Callable[[str, object], None]) -> Callable[[str], None]:
    """Tell one measured figure as a sentence; it is printed at the end of the run."""

    def tell(sentence: str) -> None:
        record_property("figure", sentence)

    return tell


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print what was measured, also from other workers."""
    reports = [item for kind in ("passed", "failed") for item in terminalreporter.getreports(kind)]
    told = [
        f"{report.nodeid.rpartition('::')[2]}: {value}"
        for report in reports
        for name, value in report.user_properties
        if name == "figure" and report.when == "call"
    ]
    if told:
        terminalreporter.section("figures")
        for line in told:
            terminalreporter.write_line(line)
