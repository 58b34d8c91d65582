"""Engine hosts: an engine in a worker process under another Python, with other libraries (`sql@/path/to/python`).

Both sides run this project's own code of the engine; census and scenario go in, tables and proof come out, as JSON and Arrow IPC
over a pipe. The other Python needs what the engine imports, and nothing of what the suite needs besides. Nothing is imported here:
that Python runs this too.
"""
