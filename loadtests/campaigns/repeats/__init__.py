"""A scenario many times over: balanced blocks, controls, and what differs. docs/reference/repeats.md"""
