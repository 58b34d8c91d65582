"""Is what the sweep and the comparison look for really found? Planted regressions, and trials of them."""
