"""Campaigns on several machines, by Dask: the scheduler hands out jobs, each worker carries out one run at a time.

A job goes out as the name of a run (`worker.Order`), never as code: a worker runs what its own checkout holds, and only
if that is the same as here (`sameness`, of `running.provenance`). Its run comes back as a bundle, which is opened as
carefully as a stranger's.
"""
