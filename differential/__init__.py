"""What runs and compares: variants, runs, proofs, engines, exact comparison, first divergence, reduction, reports."""
