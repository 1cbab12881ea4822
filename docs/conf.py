# SPDX-License-Identifier: GPL-2.0-or-later
"""Sphinx settings; run through tools/docs (make docs)."""

project = "smmuv3-sva"
copyright = "the smmuv3-sva contributors, GPL-2.0-or-later"  # noqa: A001
exclude_patterns = ["generated", "conformance"]
html_theme = "alabaster"
html_theme_options = {"description": "Shared virtual addressing in QEMU",
                      "page_width": "70em", "fixed_sidebar": "true"}
html_copy_source = False
highlight_language = "none"
smartquotes = False
