"""The policy file: attribute access, partial files, what changed, and messages that name file and key."""

from __future__ import annotations

from pathlib import Path

import pytest

from differential.comparison.policy import DEFAULT_THRESHOLDS
from scale.policy import DEFAULT_FILE, Policy
from scale.status import UsageError


def _file(folder: Path, text: str) -> Path:
    path = folder / "mine.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_every_default_is_read_and_has_a_reason() -> None:
    policy = Policy.load()

    assert (policy.linear.r2_minimum, policy.power.upper_end_at_most, policy.power.lower_end_above) == (
        0.90,
        1.30,
        1.15,
    )
    assert policy.memory.peak_below_gb == 48 and policy.threads.efficiency_minimum == 0.60
    assert all(len(reason) > 20 for reason in policy.reasons.values()) and len(policy.reasons) > 50
    assert policy.changed == () and policy.source == str(DEFAULT_FILE)


def test_parity_thresholds_are_those_of_the_comparison() -> None:
    parity = Policy.load().parity.model_dump()

    assert {name: parity[name] for name in DEFAULT_THRESHOLDS} == dict(DEFAULT_THRESHOLDS)


def test_a_file_changes_only_its_keys_and_says_which(tmp_path: Path) -> None:
    path = _file(
        tmp_path,
        "linear:\n  r2_minimum: {value: 0.99, reason: our host is quiet}\n  r2_good: {value: 0.90, reason: as it was}\n",
    )
    policy = Policy.load(path)

    assert policy.changed == ("linear.r2_minimum",) and policy.source == str(path)
    assert policy.linear.r2_minimum == 0.99 and policy.linear.r2_excellent == 0.95
    assert policy.reason("linear.r2_minimum") == "our host is quiet"
    assert policy.fingerprint != Policy.load().fingerprint


def test_the_fingerprint_is_of_values_alone(tmp_path: Path) -> None:
    path = _file(tmp_path, "threads:\n  efficiency_target: {value: 0.8, reason: other words}\n")

    assert Policy.load(path).fingerprint == Policy.load().fingerprint
    assert Policy.load(_file(tmp_path, "")).fingerprint == Policy.load().fingerprint


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("linear:\n  r2: {value: 0.9, reason: x}\n", "linear.r2: unknown key"),
        ("liner:\n  r2_minimum: {value: 0.9, reason: x}\n", "unknown section 'liner'"),
        (
            "linear:\n  r2_minimum: {value: high, reason: x}\n",
            "linear.r2_minimum: Input should be a valid number, got 'high'",
        ),
        (
            "linear:\n  r2_minimum: {value: true, reason: x}\n",
            "linear.r2_minimum: Input should be a valid number, got True",
        ),
        ("linear:\n  r2_minimum: {value: 90, reason: x}\n", "linear.r2_minimum: Input should be less than 1, got 90"),
        ("linear:\n  r2_minimum: {value: .nan, reason: x}\n", "linear.r2_minimum: Input should be a finite number"),
        ("linear:\n  r2_minimum: {value: [1], reason: x}\n", "linear.r2_minimum: expected a number"),
        ("linear:\n  r2_minimum: {value: 0.9}\n", "linear.r2_minimum: expected {value: ..., reason: ...}"),
        ("linear:\n  r2_minimum: 0.9\n", "linear.r2_minimum: expected {value: ..., reason: ...}"),
        ("linear:\n  r2_minimum: {value: 0.9, reason: ' '}\n", "linear.r2_minimum: reason: expected a sentence"),
        (
            "linear:\n  r2_good: {value: 0.7, reason: x}\n",
            "linear: r2_acceptable, r2_good and r2_excellent have to rise",
        ),
        (
            "sufficiency:\n  sizes_minimum: {value: 2, reason: x}\n",
            "sufficiency.sizes_minimum: Input should be greater",
        ),
        (
            "sufficiency:\n  runs_minimum: {value: 3.5, reason: x}\n",
            "sufficiency.runs_minimum: Input should be a valid integer",
        ),
        ("history:\n  permutations: {value: 200, reason: x}\n", "history: permutations are too few"),
        ("linear:\n  level: {value: 0.9, reason: x}\n  level: {value: 0.9, reason: x}\n", "'level' is given twice"),
        ("linear: 3\n", "linear: expected keys"),
        ("- 1\n", "expected sections"),
    ],
)
def test_a_bad_file_is_refused_by_file_and_key(tmp_path: Path, text: str, named: str) -> None:
    path = _file(tmp_path, text)
    with pytest.raises(UsageError) as caught:
        Policy.load(path)

    assert str(path) in str(caught.value) and named in str(caught.value)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"none\.yaml: cannot be read"):
        Policy.load(tmp_path / "none.yaml")


def test_a_policy_cannot_be_changed() -> None:
    with pytest.raises(ValueError, match="frozen"):
        Policy.load().linear.r2_minimum = 0.1  # type: ignore[misc]
