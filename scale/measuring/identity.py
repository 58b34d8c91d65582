"""Which code is measured: the commit, and a fingerprint of the sources, so that two names for one code are seen."""

from __future__ import annotations

from pathlib import Path

from differential.engines import EngineSpecError
from differential.identity import commit_of, sources_of
from scale.records import Code
from scale.status import UsageError

__all__ = ["commit_of", "engine_code"]


def engine_code(spec: str, root: Path) -> Code:
    """The code that engine `spec` runs when the checkout `root` is measured; commit: of `root`. Nothing is imported.

    Raises:
        UsageError: root is no checkout of this project, or nothing of that name can be found.
    """
    try:
        return Code(spec=spec, commit=commit_of(root), fingerprint=sources_of(spec, root))
    except EngineSpecError as error:
        raise UsageError(str(error)) from None
