"""Wires the suite's options and profiles into pytest, in a checkout; where it is installed, workforce_parity_pytest.py does."""

# properties.replay makes its kind of repro known, so that either command replays either kind
pytest_plugins = ["differential.guards", "differential.plugin", "properties.replay", "properties.plugin"]
