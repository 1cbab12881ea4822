# SPDX-License-Identifier: GPL-2.0-or-later
"""The little of SVG that our pictures are of: boxes and words, as text. Not what they
show, nor where it is: sva_tables/picture.py, sva_trace/picture.py.

No library of plots has boxes on rows; and text is the same for the same input.
"""

from html import escape


def number(value):
    """Tenths of pixels do; what is a whole number stays one."""
    return f'{value:.1f}' if isinstance(value, float) else str(value)


def box(x, y, width, height, colour, title=None):
    """Words that appear where the pointer is over it: @title."""
    sizes = (f'<rect x="{number(x)}" y="{number(y)}" width="{number(width)}" '
             f'height="{number(height)}" fill="{colour}"')
    return sizes + ('/>' if title is None else f'><title>{escape(title)}</title></rect>')


def words(x, y, text, kind=None):
    """From there to the right; @kind is a class of the style sheet."""
    of_kind = f' class="{kind}"' if kind else ''
    return f'<text{of_kind} x="{number(x)}" y="{number(y)}">{escape(text)}</text>'


def document(width, height, style, parts):
    """The lines of all of it, on white."""
    yield (f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
           f'viewBox="0 0 {width} {height}">')
    yield style
    yield '<rect width="100%" height="100%" fill="#fff"/>'
    yield from parts
    yield '</svg>'
