"""Metamorphic relations M..: transform a world, run both, compare under the relation's own equality."""
