"""The sweep: which cells run in which order, what is kept, and what the runs say."""
