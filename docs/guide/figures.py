"""Run the pages beside this file that draw, in a light and in a dark style, and save the panels of their figures here.

Two panels stand side by side on a wide page, and one below the other on a phone.

python docs/guide/figures.py [page ...]
"""

import re
import sys
from pathlib import Path

import matplotlib as mpl

mpl.use("Agg")
from matplotlib import pyplot as plt  # after the backend

HERE = Path(__file__).resolve().parent
FONT = {"font.size": 11.5}
DARK = dict.fromkeys(["figure.facecolor", "axes.facecolor", "savefig.facecolor"], "#14181e")  # the site's background
STYLES = {"light": FONT, "dark": FONT | DARK}


def draw(page, style):
    """Save the panels of a page, in their order."""
    text = (HERE / f"{page}.md").read_text(encoding="utf-8")
    namespace = {}
    with plt.style.context(["dark_background"] if style == "dark" else []), plt.rc_context(STYLES[style]):
        for block in re.findall(r"^```python\n(.*?)^```", text, flags=re.DOTALL | re.MULTILINE):
            exec(compile(block, page, "exec"), namespace)  # noqa: S102  # blocks of our own pages
        panels = [ax for number in plt.get_fignums() for ax in plt.figure(number).axes]
        for number, ax in enumerate(panels):
            ax.figure.draw_without_rendering()
            box = ax.get_tightbbox().padded(6).transformed(ax.figure.dpi_scale_trans.inverted())
            ax.figure.savefig(HERE / f"{page}_{number}_{style}.png", dpi=220, bbox_inches=box)
        plt.close("all")


if __name__ == "__main__":
    for page in sys.argv[1:] or ["loss", "probabilities", "hessian", "gamma_alpha"]:
        for style in STYLES:
            draw(page, style)
