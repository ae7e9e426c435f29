"""The same numbers once more, by scripts that share no code with any room; each runs alone: `python3 -I FILE RUN`."""
