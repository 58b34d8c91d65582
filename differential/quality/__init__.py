"""How well the reducer works: measured on planted faults, as Hypothesis does with its own shrinker in tests/quality."""
