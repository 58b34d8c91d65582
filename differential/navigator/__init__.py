"""PlanWise Navigator (crzyc98/planwise_navigator) as an engine: `navigator:sql` and `navigator:polars`.

The suite holds none of its code. It drives a checkout that its user has, by its command line, in a private working copy, and
reads the tables that it leaves. docs/navigator.md says what it is given, what is proven, and what is normalised.
"""

from __future__ import annotations

from differential.navigator.engine import NavigatorEngine, navigator_engine
from differential.navigator.settings import Settings, settings_from

__all__ = ["NavigatorEngine", "Settings", "navigator_engine", "settings_from"]
