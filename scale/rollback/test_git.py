"""What the drill does in a repository, and what it leaves alone there."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from scale.rollback.git import Repository
from scale.rollback.testing import TAG, System
from scale.status import UsageError


@pytest.fixture
def system(tmp_path: Path) -> System:
    return System.make(tmp_path / "system")


def test_hooks_do_not_run_and_a_half_made_worktree_goes(system: System) -> None:
    ran = system.root / "hook ran"
    hook = system.repo / ".git" / "hooks" / "post-checkout"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(f'#!/bin/sh\ntouch "{ran}"\n')
    hook.chmod(0o755)
    repository, user = Repository.at(system.repo), system.user_state()
    commit, folder = repository.commit_of_tag(TAG), system.root / "checkout"
    assert commit is not None

    subprocess.run(repository.worktree_command(commit, folder), cwd=repository.top, check=True)
    assert (folder / "models" / "events.sql").exists() and not ran.exists() and system.worktrees() == 1
    (record,) = (repository.common / "worktrees").iterdir()
    (record / "locked").write_text("initializing")  # as git leaves it when it is killed at work
    (folder / ".git").unlink()
    repository.remove_worktree(folder)

    assert (folder.exists(), system.worktrees(), system.user_state()) == (False, 0, user)


def test_an_export_is_the_whole_commit_and_touches_nothing(system: System) -> None:
    (system.repo / ".gitattributes").write_text("models/events.sql export-ignore\n")
    system.git("add", ".gitattributes")
    system.commit("left out of archives")
    repository, user = Repository.at(system.repo), system.user_state()

    repository.export(repository.head() or "", system.root / "exported")

    assert (system.root / "exported" / "models" / "events.sql").read_text() == "SELECT 2 -- faster\n"
    assert system.user_state() == user


def test_what_a_checkout_does_not_bring_is_named(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    (system.repo / ".gitattributes").write_text("*.bin filter=lfs\n")
    system.git("add", ".gitattributes")
    system.git("update-index", "--add", "--cacheinfo", f"160000,{system.git('rev-parse', 'HEAD')},vendored")
    system.git("commit", "--quiet", "--message", "with a submodule")
    monkeypatch.setattr("scale.rollback.git.shutil.which", lambda _name: None)
    repository = Repository.at(system.repo)

    told = " ".join(repository.left_out(repository.head() or ""))
    assert "submodules (vendored)" in told and "Git LFS" in told
    assert repository.left_out(repository.commit_of_tag(TAG) or "") == []


def test_a_branch_is_no_tag(system: System) -> None:
    assert Repository.at(system.repo).commit_of_tag("main") is None
    with pytest.raises(UsageError, match="not the working tree of a git repository"):
        Repository.at(system.repo / ".git")
