"""How hard hypothesis looks: quickly at the desk, thoroughly in CI, until morning at night.

HYPOTHESIS_PROFILE names the profile; without it, CI decides between `ci` and `dev`.
"""

import os

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
