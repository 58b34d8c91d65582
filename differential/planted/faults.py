"""The faults, as patches that are applied from outside and taken back."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any
from unittest import mock

Planting = Callable[[], AbstractContextManager[Any]]


class PatchError(RuntimeError):
    """A patch whose place is no longer there: the engine changed, so the fault has to be written anew."""


@dataclass(frozen=True)
class Fault:
    """One fault: what it does in one sentence, the engine it is planted in, and how."""

    id: str
    sentence: str
    engine: str
    planted: Planting


def _sql(**edits: Mapping[str, str]) -> Planting:
    """Replace text in rules/NAME.sql; a key `year__roster` stands for the rule year/roster."""
    by_rule = {name.replace("__", "/"): dict(edit) for name, edit in edits.items()}

    @contextmanager
    def plant() -> Iterator[None]:
        from differential.engines.sql import session, simulate, year

        original = session.rule

        def rule(name: str) -> str:
            text = original(name)
            for old, new in by_rule.get(name, {}).items():
                if old not in text:
                    raise PatchError(f"rules/{name}.sql no longer holds {old!r}")
                text = text.replace(old, new)
            return text

        with ExitStack() as patches:
            for module in (session, simulate, year):
                patches.enter_context(mock.patch.object(module, "rule", rule))
            _forget_connections(session)
            try:
                yield
            finally:
                _forget_connections(session)

    return plant


def _forget_connections(session: Any) -> None:
    """Macros live in the connection that is kept between runs."""
    session._statements.cache_clear()
    for kept in session._kept.values():
        kept.close()
    session._kept.clear()


def _python(module: str, name: str, make: Callable[[Any], Any]) -> Planting:
    """Replace a function or a constant by `make` of it."""

    @contextmanager
    def plant() -> Iterator[None]:
        import importlib

        home = importlib.import_module(module)
        if not hasattr(home, name):
            raise PatchError(f"{module} no longer has {name}")
        with mock.patch.object(home, name, make(getattr(home, name))):
            yield

    return plant


def _truncated(half_up: Callable[..., Any]) -> Callable[..., Any]:
    """Floor where the rule says half up."""
    return lambda numerator, denominator: numerator // denominator


def _half_even() -> str:
    product = "target * (10000 + growth_bp)"
    return (
        f"CASE WHEN {product} % 10000 = 5000 THEN {product} // 10000 + ({product} // 10000) % 2 "
        f"ELSE half_up({product}, 10000) END"
    )


def _keep_stale_rows(write: Callable[..., Any]) -> Callable[..., Any]:
    """Put back the rows of an earlier run whose keys the new run does not emit."""

    def faulty(path: Any, worlds: Any, run: Any, first: int) -> None:
        import duckdb

        kept = None
        if path.exists():
            with duckdb.connect(str(path)) as connection:
                kept = connection.sql("SELECT * FROM fct_yearly_events").to_arrow_table()
        write(path, worlds, run, first)
        if kept is not None:
            with duckdb.connect(str(path)) as connection:
                connection.register("kept", kept)
                connection.execute(
                    "INSERT INTO fct_yearly_events SELECT * FROM kept k WHERE NOT EXISTS (FROM fct_yearly_events e "
                    "WHERE e.scenario_id = k.scenario_id AND e.employee_id = k.employee_id "
                    "AND e.simulation_year = k.simulation_year AND e.event_type = k.event_type)"
                )

    return faulty


_ALL = (
    Fault("X05", "The target headcount is rounded half to even, not half up.", "sql",
          _sql(quotas={"half_up(target * (10000 + growth_bp), 10000)": _half_even()})),
    Fault("X08", "A new hire's exit is dated from 1 January, not from the hire.", "sql",
          _sql(year__roster={"plus_days(hire_date, 1 + draw_below(exit_draws[2], y.last_day - hire_date))":
                             "plus_days(y.first_day, draw_below(exit_draws[2], y.days))"})),
    Fault("X10", "Exits are selected by a draw of 100 buckets.", "sql",
          _sql(year__roster={"ORDER BY p.exit_draws[1], p.employee_id": "ORDER BY p.exit_draws[1] % 100, p.employee_id"})),
    Fault("X12", "A run on a used database deletes only rows whose keys it writes anew.", "sql",
          _python("differential.engines.sql.database", "write", _keep_stale_rows)),
    Fault("X15", "The state keeps last year's `not enrolled` over this year's enrolment.", "sql",
          _sql(state={"AND is_in_plan AS": "AND is_in_plan AND enrolled_on IS NULL AS"})),
    Fault("X18", "Escalation lowers rates above the maximum to it.", "sql",
          _sql(year__escalation={"AND e.rate_1_bp < w.escalation_maximum_bp": ""})),
    Fault("X19", "Automatic enrolment leaves out those hired on the cutoff day.", "sql",
          _sql(year__enrollment={"p.hire_date >= w.auto_cutoff": "p.hire_date > w.auto_cutoff"})),
    Fault("X21", "The raise is computed on the pay before the promotion.", "sql",
          _sql(year__career={"raised_pay(pay_2, merit_bp + cola_bp)": "raised_pay(pay_1, merit_bp + cola_bp)"})),
    Fault("X25", "Voluntary enrolment goes on when it is switched off.", "sql",
          _sql(year__enrollment={"w.voluntary_enabled AND p.eligibility_date": "p.eligibility_date"})),
    Fault("P01", "The catch-up contribution starts at 51.", "polars",
          _python("differential.engines.polars.contributions", "CATCH_UP_AGE", lambda age: age + 1)),
    Fault("P02", "Money into the plan is rounded down.", "polars",
          _python("differential.engines.polars.contributions", "half_up", _truncated)),
    Fault("P03", "The base hazard of promotion is taken ten times too high.", "polars",
          _python("differential.engines.polars.pay", "HAZARD_PPM_PER_BP", lambda ppm: 10 * ppm)),
)  # fmt: skip

FAULTS = {fault.id: fault for fault in _ALL}
