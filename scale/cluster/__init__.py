"""Work on a cluster that the team already has: Dask's scheduler decides where and when, workers run our processes."""
