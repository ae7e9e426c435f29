"""Balancers and their affinities against events: what each of them does to people, counted over repeats."""
