"""A run in one file: `twinshop bundle` writes it, `twinshop open` makes a run folder of it again, anywhere."""
