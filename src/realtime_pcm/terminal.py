r"""Text out of a frame, made fit for a terminal.

Whoever sends a frame chooses its text. Printed as it is, that text can move the cursor, clear the screen, set the title
of the window or reverse the order of words. Both functions replace such characters by their escapes, as in Python
source (`\x1b`, `\u202e`), so that they can be seen and do nothing.
"""

from __future__ import annotations

import re

__all__ = ["shown_name", "shown_text"]

# Control characters (C0 but for the tab and the newline, DEL, C1), separators of lines and paragraphs, what embeds, overrides
# or isolates a direction of writing, and surrogates, which no encoding of a terminal can hold.
_UNFIT = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


def shown_text(text: str) -> str:
    """A text of any length, such as a transcript. Tabs, newlines and the letters of every script stay as they are."""
    return text if text.isprintable() else _UNFIT.sub(lambda match: ascii(match[0])[1:-1], text)


def shown_name(name: str) -> str:
    """A name, such as a type or an id, on one line: at most 100 characters of it, in quotes where one is not printable."""
    start = name[:100]
    if not start.isprintable():
        start = ascii(start)
    return start if len(name) <= 100 else f"{start}... {len(name)} characters"
