"""What tests of the command line attach: an engine outside the suite, as the text of a module."""

from __future__ import annotations

ATTACHED = """
from dataclasses import replace
import os
import shlex
import pyarrow as pa
import pyarrow.compute as pc
from differential.engines import get_engine
from differential.run import Capabilities


class Engine:
    def __init__(self, name, edit, **can):
        self.name, self.edit = name, edit
        self.capabilities = Capabilities(threads=False, batch_size=False, resume=False, database=False, **can)

    def run(self, worlds, variant):
        run = get_engine("polars").run(worlds, variant)
        return self.edit(replace(run, proof=replace(run.proof, engine=self.name)))


def cent_too_much(run):
    pay = run.events["compensation_amount"]
    more = pc.if_else(pc.equal(run.events["event_type"], "raise"), pc.add(pay, pa.scalar(1, pay.type)), pay).cast(pay.type)
    place = run.events.column_names.index("compensation_amount")
    return replace(run, events=run.events.set_column(place, "compensation_amount", more))


"""
"""Polars with its run edited: `Engine(name, edit, **capabilities)`; `cent_too_much` is an edit."""
