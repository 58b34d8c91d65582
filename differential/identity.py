"""Which code runs: the commit, and a fingerprint of an engine's sources, so that two names for one code are seen."""

from __future__ import annotations

import hashlib
import importlib.machinery
import os
import subprocess
import sys
from collections.abc import Iterable
from importlib.metadata import entry_points
from pathlib import Path

from differential.commands.program import program_of
from differential.engines import BUILT_IN, ENTRY_POINT_GROUP, EngineSpecError, parse_spec, settled

_SUFFIXES = (".py", ".sql", ".so", ".pyd")
_GIT_SECONDS = 10


def sources_of(spec: str, root: Path) -> str:
    """Fingerprint of the code that engine `spec` runs when it is started from the checkout `root`.

    SHA-256 over the sources, tests aside, of differential/ and fixtures/; for a built-in engine without the other
    built-in engines; for MODULE:ATTRIBUTE or an entry point with its top-level package, or its one file, and the attribute's name;
    for ENGINE@PYTHON the engine's, and which Python; for command:PROGRAM with the files that its words name, and the one that says
    what it can do; for navigator:MODE with the code and the configuration of its checkout. Nothing is imported or started.

    Raises:
        EngineSpecError: root is no checkout of this project, or nothing of that name can be found.
    """
    root = root.resolve()
    for package in ("differential", "fixtures"):
        if not (root / package / "__init__.py").is_file():
            raise EngineSpecError(f"{root}: no folder {package}/ there: is it a checkout of this project?")
    asked = parse_spec(spec)
    if asked.kind == "host":
        return hashlib.sha256(f"{sources_of(asked.target, root)}@{settled(spec)}".encode()).hexdigest()
    digest = hashlib.sha256()
    others = [root / "differential" / "engines" / name for name in BUILT_IN if name != spec and spec in BUILT_IN]
    for package in ("differential", "fixtures"):
        _add(
            digest, root, (file for file in _sources(root / package) if not any(file.is_relative_to(o) for o in others))
        )
    if asked.kind == "command":
        program = program_of(asked)
        files = [Path(word) for word in program.command if Path(word).is_file()]
        for file in dict.fromkeys([*files, program.script, program.capabilities_file]):
            _add(digest, file.parent, [file] if file.is_file() else [])
        digest.update(repr(program.command[1:]).encode())
    elif asked.kind == "navigator":
        from differential.navigator import settings_from
        from differential.navigator.working_copy import code_of

        settings = settings_from(os.environ)
        digest.update(code_of(settings.home, settings.layout).encode())
        _add(digest, settings.config.parent, [settings.config])
    elif spec not in BUILT_IN:
        place, attribute = _attached(spec, root)
        digest.update(attribute.encode())
        _add(digest, place.parent, _sources(place) if place.is_dir() else [place])
    return digest.hexdigest()


def package_of(spec: str, root: Path) -> Path | None:
    """Folder of the top-level package, or the one file, of an attached engine's module as a process started from `root` finds it;
    None for a built-in engine and for programs. Raises EngineSpecError where there is none."""
    asked = parse_spec(spec)
    if asked.kind == "host":
        return package_of(asked.target, root)
    return _attached(spec, root.resolve())[0] if asked.kind in ("entry_point", "module") else None


def digest_of(root: Path, package: str) -> str:
    """Fingerprint of one whole package of the checkout `root`: SHA-256 over its sources, tests aside."""
    digest = hashlib.sha256()
    _add(digest, root, _sources(root / package))
    return digest.hexdigest()


def commit_of(root: Path) -> str | None:
    """The commit of a checkout, with `+` for uncommitted changes; None outside git, and where the suite is installed into an
    environment inside a repository that is not its own."""
    try:
        if Path(_git(root, "rev-parse", "--show-toplevel")).resolve() != root.resolve():
            return None
        head = _git(root, "rev-parse", "--short=12", "HEAD")
        return head + ("+" if _git(root, "status", "--porcelain", "--untracked-files=no") else "")
    except (OSError, subprocess.SubprocessError):
        return None


def _attached(spec: str, root: Path) -> tuple[Path, str]:
    """Folder of the top-level package or file of the module, as the measured process would find it, and the attribute."""
    target = spec
    if ":" not in spec:
        (found, *_) = [*entry_points(group=ENTRY_POINT_GROUP, name=spec)] or [None]
        if found is None:
            raise EngineSpecError(
                f"unknown engine {spec!r}: expected one of {', '.join(BUILT_IN)}, an entry point or MODULE:ATTRIBUTE"
            )
        target = found.value
    module, _, attribute = target.partition(":")
    top = module.partition(".")[0]
    search = [str(root), *(entry or str(Path.cwd()) for entry in sys.path)]
    place = importlib.machinery.PathFinder.find_spec(top, search)
    if place is None:
        raise EngineSpecError(f"engine {spec!r}: there is no module {top!r}; is its folder on PYTHONPATH?")
    if place.submodule_search_locations:
        return Path(next(iter(place.submodule_search_locations))).resolve(), attribute
    return Path(str(place.origin)).resolve(), attribute


def _sources(folder: Path) -> list[Path]:
    return [
        file
        for file in sorted(folder.rglob("*"))
        if file.suffix in _SUFFIXES and not file.name.startswith("test_") and file.is_file()
    ]


def _add(digest: hashlib._Hash, base: Path, files: Iterable[Path]) -> None:
    """Names, sizes and bytes, so that no two sets of files look alike."""
    for file in files:
        content = file.read_bytes()
        digest.update(f"\n{file.relative_to(base).as_posix()} {len(content)}\n".encode())
        digest.update(content)


def _git(root: Path, *arguments: str) -> str:
    return subprocess.run(
        ["git", "-C", str(root), *arguments], check=True, capture_output=True, text=True, timeout=_GIT_SECONDS
    ).stdout.strip()
