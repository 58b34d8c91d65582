"""Measuring the suite's own figures: `python -m differential.bench [NAME ...]`, `make bench`."""
