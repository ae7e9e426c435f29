"""Writes the reference pages from the registries, so that no page can say something else than the program does.

The words of a page stand in its template; what it lists is asked of the program.

python -m loadtests.reference            write the pages in docs anew
python -m loadtests.reference --check    say which pages are not up to date, and end with 1 if any is not
"""
