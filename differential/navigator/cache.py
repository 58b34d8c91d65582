"""Finished runs, kept by fingerprint: the same code, configuration, census and variant need not be run again for minutes."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkdtemp

from differential.navigator.evidence import Evidence

_EVIDENCE = "evidence.json"
_ASIDE = ".unfinished-"


@dataclass(frozen=True)
class Kept:
    """A finished run: its tables as Parquet in `folder`, and what it told of itself. earlier: not of this process."""

    folder: Path
    evidence: Evidence
    earlier: bool = False


class Cache:
    """A folder of finished runs, for its owner's eyes only: they hold people's data. Runs may be added from many processes."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def find(self, fingerprint: str) -> Kept | None:
        """The run of that fingerprint, None where there is none that can be read."""
        folder = self.folder / fingerprint
        try:
            evidence = Evidence.from_json(json.loads((folder / _EVIDENCE).read_text(encoding="utf-8")))
        except (OSError, ValueError, KeyError, TypeError):
            return None
        return Kept(folder, evidence, earlier=True)

    def unfinished(self) -> Path:
        """A new folder to put a run's tables in; `add` makes it a finished one."""
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        return Path(mkdtemp(prefix=_ASIDE, dir=self.folder))

    def add(self, fingerprint: str, unfinished: Path, evidence: Evidence) -> Kept:
        """Keep a run; the first of two that finish at once stays."""
        (unfinished / _EVIDENCE).write_text(json.dumps(evidence.to_json(), indent=1), encoding="utf-8")
        target = self.folder / fingerprint
        try:
            unfinished.rename(target)
        except OSError:
            if self.find(fingerprint) is None:
                shutil.rmtree(target, ignore_errors=True)
                unfinished.rename(target)
            else:
                shutil.rmtree(unfinished, ignore_errors=True)
        return Kept(target, evidence)


def fingerprint(*parts: str) -> str:
    """SHA-256 over what decides a run, and over the hash seed of the process, which a comparison varies."""
    text = "\n".join([*parts, os.environ.get("PYTHONHASHSEED", "")])
    return hashlib.sha256(text.encode()).hexdigest()
