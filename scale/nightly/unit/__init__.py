"""The fuzzing unit."""
