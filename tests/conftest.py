"""Defines the Hypothesis profiles: `dev` by default, `ci` in .ci/run, `deterministic` for repeatable runs."""

import os

from hypothesis import settings

settings.register_profile("dev", max_examples=25, deadline=None)
settings.register_profile("ci", max_examples=1000, deadline=None)
settings.register_profile("deterministic", max_examples=25, deadline=None, derandomize=True, database=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "dev"))
