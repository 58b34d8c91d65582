"""Nightly fuzzing: a campaign of units of work, which triages what it finds and hands over only news."""
