"""The key that tells failures apart: the engines, and the sanitised signature that the suite gives every finding.

A signature names test or rule, table, kind, event type and column (differential/comparison/divergence.py, properties/check.py),
never a row or a message. Variants are left out: one fault of a level shows under many thread counts, and is one failure.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable

LONGEST = 200
"""Characters of a key and of a headline."""
_UNSAFE = re.compile(r"[^\w .:|+,=()-]+")


def key_of(engines: Iterable[str], signature: str) -> str:
    """The key of a failure of these engines, in their order."""
    key = plain(f"{', '.join(dict.fromkeys(engines))}|{signature}")
    if len(key) <= LONGEST:
        return key
    return f"{key[: LONGEST - 7]}-{hashlib.sha256(key.encode()).hexdigest()[:6]}"


def plain(text: str) -> str:
    """Text in which an attached engine can hide nothing: words and a few signs."""
    return _UNSAFE.sub("_", text)
