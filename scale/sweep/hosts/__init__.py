"""A sweep over the hosts of a cluster: each scenario whole on one host, and figures of different hosts never put together."""

from scale.sweep.hosts.loop import run_on_cluster
from scale.sweep.hosts.report import cluster_text

__all__ = ["cluster_text", "run_on_cluster"]
