"""A small system for tests: a git repository with a tag, a configuration folder, and a DuckDB database with other tables in it."""

from __future__ import annotations

import hashlib
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

import duckdb

from scale.rollback.record import Check

TAG = "pre-optimization"
COPY = 'cp "$ROLLBACK_CONFIG/built.duckdb" "$ROLLBACK_DATABASE"'
"""A rebuild that takes milliseconds: the tables lie ready in the configuration."""


def make_tables(path: Path, *, order: str = "", raise_by: int = 0, people: int = 6) -> None:
    """A database with both tables, a view, and two tables of the user's own. order: of rows. raise_by: on everybody's pay."""
    with duckdb.connect(str(path), config={"threads": "1"}) as connection:
        connection.execute(
            f"""
            CREATE TABLE fct_yearly_events AS
            SELECT 'default' AS scenario_id, 'main' AS plan_design_id, 'E' || person AS employee_id, 'raise' AS event_type,
                   year::INTEGER AS simulation_year, (50000 + 10 * person + {raise_by})::DECIMAL(18,2) AS compensation_amount
            FROM range({people}) p(person), range(2025, 2027) y(year) {order};
            CREATE TABLE fct_workforce_snapshot AS
            SELECT 'default' AS scenario_id, 'main' AS plan_design_id, 'E' || person AS employee_id,
                   year::INTEGER AS simulation_year, true AS is_active
            FROM range({people}) p(person), range(2025, 2027) y(year) {order};
            CREATE VIEW employee_state_by_year AS SELECT * FROM fct_workforce_snapshot;
            CREATE TABLE notes AS SELECT 'mine' AS note;
            CREATE SCHEMA audit;
            CREATE TABLE audit.log AS SELECT range AS line FROM range(3);
            """
        )


def nothing_to_say(_request: object, _steps: object, _locks: object) -> list[Check]:
    """In place of validate, where a test is about what comes after it."""
    return [Check(name="validation", verdict="pass", text="left out")]


@dataclass(frozen=True)
class System:
    """root: a folder that holds all of it. The names have blanks in them, as users' have."""

    root: Path

    @property
    def repo(self) -> Path:
        return self.root / "my repo"

    @property
    def database(self) -> Path:
        return self.root / "data files" / "run 1.duckdb"

    @property
    def config(self) -> Path:
        return self.root / "my config"

    @property
    def backup(self) -> Path:
        return self.root / "the backup"

    @classmethod
    def make(cls, root: Path) -> System:
        """Two commits, the first of which has the tag; something that is not committed; a database in another order of rows."""
        system = cls(root)
        for folder in (system.repo / "models", system.database.parent, system.config / "deeper"):
            folder.mkdir(parents=True)
        (system.repo / "models" / "events.sql").write_text("SELECT 1 -- as released\n")
        system.git("init", "--quiet", "--initial-branch", "main")
        system.git("add", ".")
        system.commit("the release")
        system.git("tag", TAG)
        (system.repo / "models" / "events.sql").write_text("SELECT 2 -- faster\n")
        system.commit("faster")
        (system.repo / "models" / "draft.sql").write_text("SELECT 3 -- not committed\n")
        make_tables(system.database)
        make_tables(system.config / "built.duckdb", order="ORDER BY person DESC")
        (system.config / "plan.yaml").write_text("growth: 0.03\n")
        (system.config / "deeper" / "rates.csv").write_text("a,b\n1,2\n")
        (system.config / "empty").mkdir()
        return system

    def git(self, *arguments: str) -> str:
        named = ("-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "commit.gpgsign=false")
        done = subprocess.run(
            ["git", *named, *arguments], cwd=self.repo, check=True, capture_output=True, text=True, env=_environment()
        )
        return done.stdout.strip()

    def commit(self, message: str) -> None:
        self.git("commit", "--quiet", "--all", "--message", message)

    def arguments(self, action: str, *more: str, command: str = COPY) -> list[str]:
        """The command line of an action, after `python -m scale`."""
        given = ["rollback", action]
        if action != "restore":
            given += ["--repo", str(self.repo), "--database", str(self.database), "--config", str(self.config)]
            given += ["--rebuild-command", command]
        if action == "validate":
            given += ["--output", str(self.root / "validated")]
        elif "--backup" not in more:
            given += ["--backup", str(self.backup)]
        if action == "execute":
            given += ["--yes"]
        return [*given, *more]

    def user_state(self) -> dict[str, str]:
        """Everything of the user's that a drill must leave alone, apart from the database: files, branch, index, worktrees."""
        found = {
            str(path.relative_to(self.root)): _hash(path)
            for folder in (self.repo, self.config)
            for path in sorted(folder.rglob("*"))
            if ".git" not in path.parts
        }
        found["status"] = self.git("status", "--porcelain", "--branch")
        found["head"] = self.git("rev-parse", "HEAD")
        found["index"] = self.git("ls-files", "--stage")
        found["beside the database"] = " ".join(sorted(path.name for path in self.database.parent.iterdir()))
        return found

    def database_hash(self) -> str:
        return _hash(self.database)

    def worktrees(self) -> int:
        """Worktrees that git knows, besides the user's own."""
        folder = self.repo / ".git" / "worktrees"
        return len(list(folder.iterdir())) if folder.is_dir() else 0


def _environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}


def _hash(path: Path) -> str:
    if path.is_dir():
        return "folder"
    return hashlib.sha256(path.read_bytes()).hexdigest()
