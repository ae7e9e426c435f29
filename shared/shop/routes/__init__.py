"""The shop's routes, a blueprint each."""
