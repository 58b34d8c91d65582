"""The rollback drill: back to an earlier release with the legacy writers, proven, and forward again byte for byte.

docs/rollback.md has the plan on a page.
"""
