"""All relations, in the order of docs/checks.md. M22 (clock, time zone, locale, ..) is properties/environment."""

from __future__ import annotations

from properties.relations.boundaries import M21
from properties.relations.copies import M15
from properties.relations.empties import M25
from properties.relations.history import M02, M03, M04, M05, M06, M08, M18, M19, M20
from properties.relations.interference import M12
from properties.relations.keys import M11
from properties.relations.newcomer import M14
from properties.relations.pay import M23, M26
from properties.relations.people import M13, M16
from properties.relations.relation import Relation
from properties.relations.rows import M01, M10, M17
from properties.relations.shift import M07
from properties.relations.switches import M09
from properties.relations.waiting import M24

RELATIONS: tuple[Relation, ...] = (
    M01, M02, M03, M04, M05, M06, M07, M08, M09, M10, M11, M12, M13, M14, M15, M16, M17, M18, M19, M20, M21, M23, M24, M25, M26,
)  # fmt: skip
"""Sorted by id."""

BY_ID = {relation.check.id: relation for relation in RELATIONS}
