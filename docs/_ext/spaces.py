"""No line begins with the per cent sign of the number before it."""

import re

from docutils import nodes


def bind(app, doctree):
    """Make the space between a number and its sign one that does not break."""
    for text in list(doctree.findall(nodes.Text)):
        if " %" in text and not isinstance(text.parent, nodes.FixedTextElement | nodes.literal):
            text.parent.replace(text, nodes.Text(re.sub(r"(?<=\d) (?=%)", "\N{NO-BREAK SPACE}", text)))


def setup(app):
    """Look at each page once it is read."""
    app.connect("doctree-read", bind)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
