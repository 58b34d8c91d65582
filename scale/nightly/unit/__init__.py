"""The fuzzing unit: draws worlds, judges them, tells failures apart, and leaves a result folder.

    python -m scale.nightly.unit JOB.json FOLDER

In a process of one's own it is scale.nightly.unit.run.run_unit. Nothing is imported here: pools take their threads from the
environment when they are first imported, and __main__ sets it.
"""
