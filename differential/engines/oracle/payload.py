"""Event payloads and ids: docs/simulation.md, section 6."""

from __future__ import annotations

import datetime as dt

from differential.engines.oracle.draws import fold


def money(cents: int) -> str:
    """Exactly two decimals."""
    return f"{cents // 100}.{cents % 100:02d}"


def rate(bp: int) -> str:
    """Exactly four decimals."""
    return f"{bp // 10_000}.{bp % 10_000:04d}"


def hire(pay: int, birth_date: dt.date, number: int) -> str:
    """Payload of a hire."""
    return f'{{"annual_compensation":{money(pay)},"birth_date":"{birth_date.isoformat()}","hire_number":{number}}}'


def eligibility(minimum_age: int, waiting_period_days: int) -> str:
    """Payload of reaching eligibility."""
    return f'{{"minimum_age":{minimum_age},"waiting_period_days":{waiting_period_days}}}'


def promotion(from_level: int, hazard_ppm: int, to_level: int) -> str:
    """Payload of a promotion."""
    return f'{{"from_level":{from_level},"hazard_ppm":{hazard_ppm},"to_level":{to_level}}}'


def pay_raise(cola_bp: int, merit_bp: int) -> str:
    """Payload of a raise."""
    return f'{{"cola_rate":{rate(cola_bp)},"merit_rate":{rate(merit_bp)}}}'


def enrolment(source: str) -> str:
    """Payload of an enrolment."""
    return f'{{"source":"{source}"}}'


def escalation(increment_bp: int, maximum_bp: int) -> str:
    """Payload of a deferral escalation."""
    return f'{{"increment_amount":{rate(increment_bp)},"maximum_rate":{rate(maximum_bp)}}}'


def reason(text: str) -> str:
    """Payload of an opt-out or a termination."""
    return f'{{"reason":"{text}"}}'


def contribution(catch_up: bool, limit: int) -> str:
    """Payload of a contribution."""
    return f'{{"catch_up":{"true" if catch_up else "false"},"limit":{money(limit)}}}'


def employer_match(compensation_limit: int) -> str:
    """Payload of an employer match."""
    return f'{{"compensation_limit":{money(compensation_limit)}}}'


def employer_core(compensation_limit: int, contribution_bp: int) -> str:
    """Payload of an employer core contribution."""
    return f'{{"compensation_limit":{money(compensation_limit)},"contribution_rate":{rate(contribution_bp)}}}'


def event_id(person_year: int, code: int) -> str:
    """The UUID (version 8) of an event; `person_year` is the fold over scenario, plan, employee and year."""
    high = fold(person_year, code)
    low = fold(high, 0)
    high = high & 0xFFFFFFFFFFFF0FFF | 0x8000
    low = low & 0x3FFFFFFFFFFFFFFF | 0x8000000000000000
    digits = f"{high:016x}{low:016x}"
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"
