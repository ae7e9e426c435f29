"""Load balancers: how each is configured, asked and read."""
