"""The claims that people make of stateful and stateless shops, and what the matrix' numbers say of them.

`claims.toml` has each claim, the cases in which it is tried, and a rule for each case; `rule` reads such a rule,
`decide` draws the cases together. No verdict is written anywhere: other numbers give others.
"""
