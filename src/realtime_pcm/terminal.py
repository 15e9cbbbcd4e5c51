r"""Makes text of a frame fit for a terminal.

The sender of a frame chooses its text. Printed as it is, that text can move the cursor, clear the screen, set the title
of the window or reverse the order of words. Both functions replace the characters that do so by escapes as in Python
source (`\x1b`, `\u202e`): a reader sees them, and the terminal does not obey them.
"""

from __future__ import annotations

import re

__all__ = ["shown_name", "shown_text"]

# Control characters (C0 without tab and newline, DEL, C1), separators of lines and paragraphs, the characters that embed,
# override or isolate a direction of writing, and surrogates, which no encoding of a terminal can hold.
_UNFIT = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


def shown_text(text: str) -> str:
    """A text of any length, such as a transcript. Tabs, newlines and letters of every script stay as they are."""
    return text if text.isprintable() else _UNFIT.sub(lambda match: ascii(match[0])[1:-1], text)


def shown_name(name: str) -> str:
    """A name, such as a type or an id, on one line: its first 100 characters.

    If one of them is not printable, the result is an ASCII literal in quotes.
    """
    start = name[:100]
    if not start.isprintable():
        start = ascii(start)
    return start if len(name) <= 100 else f"{start}... {len(name)} characters"
