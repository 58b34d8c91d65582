"""The repository as the drill needs it. The user's working tree, branch and index are only read."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from scale.status import UsageError

_SECONDS = 600.0
_TAGS_SHOWN = 8


class GitError(RuntimeError):
    """git could not do it; the message is git's own."""


@dataclass(frozen=True)
class Repository:
    """top: its working tree. common: git's own folder, which all worktrees share."""

    top: Path
    common: Path

    @classmethod
    def at(cls, path: Path) -> Repository:
        """The repository that `path` lies in. Raises UsageError where there is none."""
        try:
            found = _git(path, "rev-parse", "--path-format=absolute", "--show-toplevel", "--git-common-dir").split("\n")
        except (GitError, OSError) as error:
            raise UsageError(f"--repo {path}: not the working tree of a git repository: {error}") from None
        return cls(Path(found[0]), Path(found[1]))

    @property
    def notes(self) -> Path:
        """Folder of the drill's own notes and lock in git's folder."""
        return self.common / "workforce-parity-rollback"

    def head(self) -> str | None:
        """The commit that is checked out; None before the first."""
        try:
            return self.run("rev-parse", "--verify", "--quiet", "HEAD")
        except GitError:
            return None

    def branch(self) -> str:
        """Its name, or that there is none."""
        try:
            return self.run("symbolic-ref", "--quiet", "--short", "HEAD")
        except GitError:
            return "no branch (detached)"

    def uncommitted(self) -> list[str]:
        """Files with changes that are not committed, untracked ones included."""
        status = self.run("--no-optional-locks", "status", "--porcelain", "-z", "--no-renames")
        return [line[3:] for line in status.split("\0") if line]

    def commit_of_tag(self, tag: str) -> str | None:
        """The commit that a tag leads to; None if there is no such tag."""
        try:
            return self.run("rev-parse", "--verify", "--quiet", "--end-of-options", f"refs/tags/{tag}^{{commit}}")
        except GitError:
            return None

    def tags(self) -> str:
        """The latest tags, for messages."""
        found = self.run("tag", "--sort=-creatordate").split()
        return ", ".join(found[:_TAGS_SHOWN]) + (", ..." if len(found) > _TAGS_SHOWN else "") or "none"

    def size_of(self, commit: str) -> int:
        """Bytes of all files of a commit."""
        listed = self.run("ls-tree", "-r", "-l", "-z", "--full-tree", commit).split("\0")
        sizes = [line.split("\t")[0].split()[-1] for line in listed if line]
        return sum(int(size) for size in sizes if size.isdigit())

    def left_out(self, commit: str) -> list[str]:
        """What a plain checkout of the commit does not bring: submodules, and large files where git-lfs is not installed."""
        listed = self.run("ls-tree", "-r", "-z", "--full-tree", commit).split("\0")
        modules = [line.partition("\t")[2] for line in listed if line.startswith("160000 ")]
        found = [f"submodules ({', '.join(modules)})"] if modules else []
        attributes = [line.split("\t")[1] for line in listed if line.endswith(".gitattributes")]
        if any("filter=lfs" in self.run("show", f"{commit}:{name}") for name in attributes) and not shutil.which(
            "git-lfs"
        ):
            found.append("files of Git LFS (git-lfs is not installed)")
        return found

    def files(self, paths: Sequence[str]) -> list[str]:
        """Files that are tracked, or neither tracked nor ignored, under `paths` of the working tree (all of it where empty)."""
        listed = self.run("ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", *paths)
        return sorted({name for name in listed.split("\0") if name and os.path.lexists(self.top / name)})

    def export(self, commit: str, folder: Path) -> None:
        """Write the files of a commit into a new folder, through an index of its own: nothing of the repository changes."""
        folder.mkdir(parents=True)
        index = {"GIT_INDEX_FILE": str(folder.with_name(f".{folder.name}.index"))}
        self.run("read-tree", commit, environment=index)
        self.run("checkout-index", "--all", f"--prefix={folder}{os.sep}", environment=index)

    def worktree_command(self, commit: str, folder: Path) -> list[str]:
        """The command that checks the commit out into a worktree; hooks of the repository do not run."""
        return ["git", "-c", "core.hooksPath=/dev/null", "worktree", "add", "--quiet", "--detach", str(folder), commit]

    def remove_worktree(self, folder: Path) -> None:
        """Remove a worktree, also one that was never finished, and what git remembers of it."""
        with contextlib.suppress(GitError, OSError):
            self.run("worktree", "remove", "--force", "--force", str(folder))
        for record in (self.common / "worktrees").glob("*"):
            with contextlib.suppress(OSError):
                if (record / "gitdir").read_text().strip() == str(folder / ".git"):
                    shutil.rmtree(record)
        shutil.rmtree(folder, ignore_errors=True)
        if folder.exists():  # a git that was killed may have gone on for a moment
            shutil.rmtree(folder)
        self.forget_lost_worktrees()

    def forget_lost_worktrees(self) -> None:
        """Have git forget worktrees whose folders are gone, as it does by itself after some months."""
        with contextlib.suppress(GitError, OSError):
            self.run("worktree", "prune")

    def run(self, *arguments: str, environment: dict[str, str] | None = None) -> str:
        """What git says. Raises GitError."""
        return _git(self.top, *arguments, environment=environment)


def plain_environment() -> dict[str, str]:
    """This process's environment without what would point git at another repository (set while a hook runs)."""
    return {name: value for name, value in os.environ.items() if name not in _ELSEWHERE}


_ELSEWHERE = (
    "GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX", "GIT_COMMON_DIR", "GIT_OBJECT_DIRECTORY",
    "GIT_ALTERNATE_OBJECT_DIRECTORIES", "GIT_NAMESPACE", "GIT_QUARANTINE_PATH",
)  # fmt: skip


def _git(folder: Path, *arguments: str, environment: dict[str, str] | None = None) -> str:
    try:
        done = subprocess.run(
            ["git", *arguments],
            cwd=folder,
            env={**plain_environment(), "LC_ALL": "C", **(environment or {})},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_SECONDS,
            check=True,
        )
    except subprocess.CalledProcessError as error:
        told = error.stderr.decode(errors="replace").strip() or f"status {error.returncode}"
        raise GitError(f"git {arguments[0]}: {told}") from None
    except subprocess.TimeoutExpired:
        raise GitError(f"git {arguments[0]}: no answer in {_SECONDS:g} s") from None
    return os.fsdecode(done.stdout).strip("\n")
