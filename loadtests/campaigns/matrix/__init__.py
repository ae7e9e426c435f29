"""The matrix: every scenario on every architecture, predicted beside measured.

`matrix_run` is all of it from end to end: `jobs` says what is to be run and in which order, the runner carries it
out, cells are filled with what comes of it (`matrix.json`), and `board` lays them out for `page` (the terminal, and
`matrix.html`) and `markdown_page` (the docs).
"""
