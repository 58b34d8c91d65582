"""The long report of a pair of tables that differ: datacompy prints, it never judges. The same to the byte each time."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from differential.comparison.exact import compare_tables
from differential.comparison.numeric import NumericDifference, numeric_differences
from differential.comparison.text import MASK, MASKED_COLUMNS, MAX_VALUE, columns, show
from differential.comparison.verdict import ColumnRules, TableSpec

if TYPE_CHECKING:
    import datacompy
    import polars as pl

MAX_REPORT = 20_000
SAMPLES = 5


def long_report(
    left: pa.Table,
    right: pa.Table,
    spec: TableSpec,
    names: tuple[str, str] = ("left", "right"),
    limit: int = MAX_REPORT,
    rules: ColumnRules | None = None,
) -> str:
    """Our exact findings, the numeric differences, then datacompy's report, cut to `limit` characters.

    The tables are never changed. Where datacompy cannot compare (key types that differ, column names that collide with
    its own) the report says so.
    """
    parts = [compare_tables(left, right, spec, rules).describe(*names)]
    parts += numeric_lines([found for found in numeric_differences(left, right, spec) if found.differing])
    parts += [
        "",
        "datacompy (may be blind to last digits, null against NaN, types and duplicates; the verdict is above):",
    ]
    try:
        compare = steady_compare(left, right, spec, names)
    except Exception as error:  # noqa: BLE001 - datacompy passes on whatever Polars raises; the verdict stands without it
        parts.append(f"  cannot compare these tables: {type(error).__name__}: {str(error).splitlines()[0]:.200}")
    else:
        parts.append(_render(compare, len(spec.key) + SAMPLES))
    text = "\n".join(line.rstrip() for line in "\n".join(parts).splitlines()) + "\n"
    if len(text) <= limit:
        return text
    return f"{text[:limit].rsplit(chr(10), 1)[0]}\n... {len(text) - limit} more characters are left out\n"


def numeric_lines(found: list[NumericDifference]) -> list[str]:
    """A table of numeric differences, nothing where there are none."""
    if not found:
        return []
    head = ("column", "compared", "differing", "largest", "mean", "correlation")
    rows = [
        (item.column, str(item.count), str(item.differing), *map(_number, (item.largest, item.mean, item.correlation)))
        for item in found
    ]
    return [" numeric columns of matched rows (absolute differences):", *columns([head, *rows])]


def steady_compare(left: pa.Table, right: pa.Table, spec: TableSpec, names: tuple[str, str]) -> datacompy.PolarsCompare:
    """datacompy's comparison on sorted copies, with the first mismatches for samples instead of random ones.

    Raises whatever datacompy and Polars raise for tables that they cannot compare.
    """
    # imported on use: Polars fixes the size of its thread pool when it is first imported
    import datacompy

    class SteadyCompare(datacompy.PolarsCompare):
        def sample_mismatch(self, column: str, sample_count: int = 10, for_display: bool = False) -> Any:
            if self.only_join_columns() or column in self.join_columns:
                return None
            pair = [f"{column}_{self.df1_name}", f"{column}_{self.df2_name}"]
            rows = self.intersect_rows.filter(~self.intersect_rows[f"{column}_match"])
            sample = _sorted(rows.select([*self.join_columns, *pair])).head(sample_count)
            if for_display:
                sample.columns = [*self.join_columns, f"{column} ({self.df1_name})", f"{column} ({self.df2_name})"]
            return sample

    compare = SteadyCompare(
        _frame(left, spec),
        _frame(right, spec),
        list(spec.key),
        df1_name=names[0],
        df2_name=names[1],
        cast_column_names_lower=False,
    )
    compare.df1_unq_rows = _masked(_sorted(compare.df1_unq_rows), MASKED_COLUMNS)
    compare.df2_unq_rows = _masked(_sorted(compare.df2_unq_rows), MASKED_COLUMNS)
    suffixed = {f"{column}_{name}" for column in MASKED_COLUMNS for name in names}
    compare.intersect_rows = _masked(compare.intersect_rows, suffixed)
    return compare


def _render(compare: datacompy.PolarsCompare, width: int) -> str:
    """datacompy's text; Polars would otherwise fit the samples to the terminal at hand."""
    import polars as pl

    with pl.Config(tbl_width_chars=160, tbl_cols=width, tbl_rows=SAMPLES, fmt_str_lengths=MAX_VALUE):
        return str(compare.report(sample_count=SAMPLES, column_count=width)).strip()


def _masked(frame: pl.DataFrame, names: Collection[str]) -> pl.DataFrame:
    import polars as pl

    return frame.with_columns(pl.lit(MASK).alias(name) for name in frame.columns if name in names)


def _frame(table: pa.Table, spec: TableSpec) -> pl.DataFrame:
    """A frame of our own, key first: datacompy pairs duplicates by their order."""
    import polars as pl

    frame = pl.from_arrow(table)
    assert isinstance(frame, pl.DataFrame)
    first = [name for name in spec.key if name in frame.columns]
    return _sorted(frame.select([*first, *(name for name in frame.columns if name not in first)]))


def _sorted(frame: pl.DataFrame) -> pl.DataFrame:
    if not frame.width:
        return frame
    return frame.sort(frame.columns, nulls_last=True, maintain_order=True)


def _number(value: object) -> str:
    return "-" if value is None else show(value)
