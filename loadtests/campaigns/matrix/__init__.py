"""The matrix: every scenario on every architecture, predicted beside measured.

`jobs` says what is to be run and in which order, `conduct` carries it out in processes of their own (`launch`,
`one_run`), `cells` is what is remembered of it (`matrix.json`), and `board` lays it out for `table` (the terminal) and
`page` (`matrix.html`). `whole` is all of that from end to end.
"""
