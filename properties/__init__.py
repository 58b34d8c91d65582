"""What must hold: invariants of one run, relations between two, a database's life, and faults that prove each check can fail."""
