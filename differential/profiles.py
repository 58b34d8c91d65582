"""Profiles: how many worlds a run compares, and how Hypothesis draws them.

`ci` is derandomised, so that a change and its parent see the same worlds; `nightly` is not. A newly registered Hypothesis
profile inherits from the one in force, which under CI is Hypothesis's own derandomised one, so every setting is given here.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from hypothesis import HealthCheck, Phase, settings
from hypothesis.database import DirectoryBasedExampleDatabase

DEFAULT_PROFILE = "ci"


@dataclass(frozen=True)
class Profile:
    """worlds: generated for the engine comparisons; axis_worlds: for each case of each other axis. largest: rows of the
    largest census at a batch border. covering: variants in pairwise combinations too, not only each value alone.
    axis_years: of the longest world on an axis, the census included: a pass costs as much as its longest world has years.
    derandomised: the same worlds in every run."""

    name: str
    worlds: int
    axis_worlds: int
    largest: int
    covering: bool
    axis_years: int
    derandomised: bool


PROFILES = {
    profile.name: profile
    for profile in (
        Profile("quick", worlds=150, axis_worlds=20, largest=2_049, covering=False, axis_years=2, derandomised=True),
        Profile("ci", worlds=3_100, axis_worlds=300, largest=122_881, covering=True, axis_years=3, derandomised=True),
        Profile(
            "nightly",
            worlds=20_000,
            axis_worlds=2_000,
            largest=122_881,
            covering=True,
            axis_years=100,
            derandomised=False,
        ),
    )
}


def register_profiles() -> None:
    """Make the profiles known to Hypothesis; explain stays off, since each of its trials is a simulation."""
    for profile in PROFILES.values():
        settings.register_profile(
            profile.name,
            parent=settings.get_profile("default"),
            max_examples=profile.worlds,
            derandomize=profile.derandomised,
            database=None if profile.derandomised else DirectoryBasedExampleDatabase(".hypothesis/examples"),
            deadline=None,
            print_blob=False,
            report_multiple_bugs=False,
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
            phases=(Phase.explicit, Phase.reuse, Phase.generate, Phase.target, Phase.shrink),
        )


def base_seed(profile: Profile, asked: int | None) -> int:
    """The seed that all draws of a session start from: what was asked for, 0 if derandomised, else a new one."""
    if asked is not None:
        return asked
    return 0 if profile.derandomised else secrets.randbits(63)
