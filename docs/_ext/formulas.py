"""Formulas by KaTeX (https://katex.org, MIT), which is among the static files: no other host is asked for anything."""

from docutils import nodes
from sphinx.locale import _
from sphinx.util.math import get_node_equation_number

FILES = ("katex/katex.min.js", "katex/formulas.js")


def visit_inline(translator, node):
    """Write a formula in a line, as LaTeX that the script of the page draws."""
    translator.body.append(f'<span class="tex">{translator.encode(node.astext())}</span>')
    raise nodes.SkipNode


def visit_block(translator, node):
    """Write a formula on lines of its own, with its number if it has a label."""
    translator.body.append(translator.starttag(node, "div", CLASS="math"))
    if node["number"]:
        translator.body.append(f'<span class="eqno">({get_node_equation_number(translator, node)})')
        translator.add_permalink_ref(node, _("Link to this equation"))
        translator.body.append("</span>")
    text = node.astext()
    for part in [text] if r"\begin" in text else text.split(r"\qquad"):  # which may stand below one another
        translator.body.append(f'<div class="tex">{translator.encode(part.strip())}</div>')
    translator.body.append("</div>\n")
    raise nodes.SkipNode


def add_files(app, page, template, context, doctree):
    """Give KaTeX to the pages that have formulas, and to no others."""
    if doctree is not None and any(isinstance(node, nodes.math | nodes.math_block) for node in doctree.findall()):
        app.add_css_file("katex/katex.min.css")
        for name in FILES:
            app.add_js_file(name)


def setup(app):
    """Make it the renderer of formulas."""
    app.add_html_math_renderer("katex", (visit_inline, None), (visit_block, None))
    app.connect("html-page-context", add_files)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
