"""Run the pages beside this file that draw, in a light and in a dark style, and save their figures here.

python docs/guide/figures.py [page ...]
"""

import re
import sys
from pathlib import Path

import matplotlib as mpl

mpl.use("Agg")
from matplotlib import pyplot as plt  # after the backend

HERE = Path(__file__).resolve().parent
STYLES = {"light": {}, "dark": {"figure.facecolor": "#14181e", "axes.facecolor": "#14181e"}}  # the site's background


def draw(page, style):
    """Save the figures of a page, in their order."""
    text = (HERE / f"{page}.md").read_text(encoding="utf-8")
    namespace = {}
    with plt.style.context(["dark_background"] if style == "dark" else []), plt.rc_context(STYLES[style]):
        for block in re.findall(r"^```python\n(.*?)^```", text, flags=re.DOTALL | re.MULTILINE):
            exec(compile(block, page, "exec"), namespace)  # noqa: S102  # blocks of our own pages
        for number, figure in enumerate(map(plt.figure, plt.get_fignums())):
            figure.savefig(HERE / f"{page}_{number}_{style}.png", dpi=110)
        plt.close("all")


if __name__ == "__main__":
    for page in sys.argv[1:] or ["loss", "probabilities", "hessian", "gamma_alpha"]:
        for style in STYLES:
            draw(page, style)
