"""The report of a run: one HTML file that needs no network and no script."""

from loadtests.report.page import ExtraSection, render_report

__all__ = ["ExtraSection", "render_report"]
