"""Programs as engines (`command:./run_sim.sh`): each run in a folder and a process of its own. docs/engines.md has the contract."""

KEEP_RUNS = "WORKFORCE_KEEP_RUNS"
"""Set by --keep-runs: the folder that every run's folder is kept in; engines are made in worker processes too."""
