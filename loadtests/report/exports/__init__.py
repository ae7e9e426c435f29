"""A judged run in the forms that machines read: tables (CSV, Parquet), JUnit XML, Markdown, a badge. One file each.

All are pure functions of the run's folder: the same run gives the same bytes. Every text that a person wrote (a
question, a name) is taken for hostile.
"""
