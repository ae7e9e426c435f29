"""A simulator that knows the truth: it plays a shop by its mechanism, and shares no code with the model of causes."""
