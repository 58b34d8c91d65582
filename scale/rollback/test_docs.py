"""The example of docs/rollback.md runs as it stands there."""

from __future__ import annotations

import re
import shlex
import sys
from pathlib import Path

import duckdb
import pytest

from differential.session import ROOT
from scale.__main__ import main
from scale.rollback.testing import TAG, System
from scale.status import Status


def test_the_example_of_the_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = (ROOT / "docs" / "rollback.md").read_text()
    (code,) = re.findall(r"```python\n(# build.py.*?)```", page, re.DOTALL)
    (command,) = re.findall(r"```\npython -m scale (rollback validate [^\n]*--rebuild-command[^\n]*)\n```", page)
    system = System(tmp_path)
    (system.repo / "config").mkdir(parents=True)
    (system.repo / "build.py").write_text(code)
    (system.repo / "config" / "plan.txt").write_text("3\n")
    (system.repo / ".gitignore").write_text("*.duckdb\n")
    system.git("init", "--quiet")
    system.git("add", ".")
    system.commit("a system")
    system.git("tag", TAG)
    _tables(system.repo / "pay.duckdb")
    monkeypatch.chdir(system.repo)
    arguments = shlex.split(command.replace("python build.py", f"{shlex.quote(sys.executable)} build.py"))
    old = (system.repo / "pay.duckdb").read_bytes()

    assert main(arguments) == Status.PASS
    backup = str(tmp_path / "backup")
    assert main(["rollback", "execute", *arguments[2:], "--backup", backup, "--yes"]) == Status.PASS
    assert (system.repo / "pay.duckdb").read_bytes() != old
    assert main(["rollback", "restore", "--backup", backup]) == Status.PASS
    assert (system.repo / "pay.duckdb").read_bytes() == old


def _tables(path: Path) -> None:
    """What the system left: everybody's pay, and a raise of 3 %. It lies in the repository, among what counts as models."""
    with duckdb.connect(str(path)) as connection:
        connection.execute(
            """
            CREATE TABLE people AS SELECT 'E' || id AS id, (1000 + id)::DECIMAL(18,2) AS pay FROM range(500) p(id);
            CREATE TABLE fct_yearly_events (
                employee_id VARCHAR, simulation_year INTEGER, event_type VARCHAR, compensation_amount DECIMAL(18,2)
            );
            CREATE TABLE fct_workforce_snapshot (employee_id VARCHAR, simulation_year INTEGER, is_active BOOLEAN);
            INSERT INTO fct_yearly_events SELECT id, 2025, 'raise', pay * 103 / 100 FROM people;
            INSERT INTO fct_workforce_snapshot SELECT id, 2025, true FROM people;
            """
        )
