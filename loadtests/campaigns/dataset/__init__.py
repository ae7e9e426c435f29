"""A campaign as an open data set: Parquet tables that anybody can read, and that are enough to compute it all again.

`write` makes the folder from the runs, `rebuild` makes of a run's rows the files that the second opinion reads, and
`verify` has it recompute every published number.
"""
