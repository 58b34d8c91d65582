"""What must hold: invariants of one run, relations between two, the life of a database, and faults that prove each check can fail."""
