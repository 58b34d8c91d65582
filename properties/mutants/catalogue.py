"""All mutants of the engines' rules, and the sample that is run."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from differential.session import ROOT
from properties.mutants.mutant import Language, Mutant, Site
from properties.mutants.python_sites import python_sites
from properties.mutants.sql_sites import sql_sites

SQL_RULES = Path("differential/engines/sql/rules")
POLARS_PACKAGE = Path("differential/engines/polars")
SAMPLE, SEED = 300, 20_25


def all_mutants() -> Mapping[str, Mutant]:
    """Every mutant by id: all operators at all places of the SQL rules and of the Polars engine's modules."""
    return {**_mutants("SQL"), **_mutants("POLARS")}


def find_mutant(name: str) -> Mutant | None:
    """The mutant of this id, if there is one."""
    return _mutants("SQL" if name.startswith("SQL") else "POLARS").get(name)


@cache
def _mutants(language: Language) -> Mapping[str, Mutant]:
    found: dict[str, Mutant] = {}
    folder, suffix = (SQL_RULES, ".sql") if language == "SQL" else (POLARS_PACKAGE, ".py")
    for path in sorted((ROOT / folder).rglob(f"*{suffix}")):
        text = path.read_text(encoding="utf-8")
        for site in sql_sites(text) if language == "SQL" else python_sites(text):
            mutant = _mutant(f"{language}_{len(found) + 1:04}", language, path, text, site)
            found[mutant.id] = mutant
    return found


def _mutant(name: str, language: Language, path: Path, text: str, site: Site) -> Mutant:
    line = text.count("\n", 0, site.start) + 1
    return Mutant(
        id=name,
        language=language,
        file=path.relative_to(ROOT).as_posix(),
        line=line,
        source=text.splitlines()[line - 1].strip(),
        kind=site.kind,
        old=text[site.start : site.end],
        new=site.new,
        start=site.start,
        end=site.end,
    )


def sample(count: int = SAMPLE, seed: int = SEED) -> list[Mutant]:
    """So many mutants, half of each engine, at least one of each file; the same ones for the same sources."""
    draw = random.Random(seed)
    chosen: list[Mutant] = []
    shares: tuple[tuple[Language, int], ...] = (("SQL", count // 2), ("POLARS", count - count // 2))
    for language, share in shares:
        mine = list(_mutants(language).values())
        by_file: dict[str, list[Mutant]] = defaultdict(list)
        for mutant in mine:
            by_file[mutant.file].append(mutant)
        picked = [draw.choice(group) for group in by_file.values()][:share]
        ids = {mutant.id for mutant in picked}
        rest = [mutant for mutant in mine if mutant.id not in ids]
        picked += draw.sample(rest, min(len(rest), share - len(picked)))
        chosen += sorted(picked, key=lambda mutant: mutant.id)
    return chosen
