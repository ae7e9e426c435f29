"""Refresh tokens: families in which each is used once, and the two cookies that carry them and what they renew."""
