"""The simulation on Polars: rules as expressions over all people of all worlds at once (docs/simulation.md)."""
