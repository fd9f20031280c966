"""The site: Markdown by MyST, docstrings by numpydoc, examples by sphinx-gallery. Loads nothing from other hosts.

    python -m sphinx -W --keep-going docs docs/_build/html                       # all of it, warnings are errors
    python -m sphinx -W --keep-going -D plot_gallery=0 docs docs/_build/html     # without running the examples

``SKFOCAL_SWITCHER`` is the address of the deployed ``_static/switcher.json``, which lists the versions of the site;
without it there is no version switcher.
"""

import os
import sys
from pathlib import Path

import skfocal

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE / "_ext"))

project = "skfocal"
author = "The skfocal developers"
copyright = f"2026, {author}"  # noqa: A001
release = skfocal.__version__
version = ".".join(release.split(".")[:2])

extensions = [
    "formulas",
    "spaces",
    "myst_parser",
    "numpydoc",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx_copybutton",
    "sphinx_design",
    "sphinx_gallery.gen_gallery",
]
exclude_patterns = ["_build", *(f"gallery/*.{kind}" for kind in ("ipynb", "md5", "py"))]
exclude_patterns += ["gallery/sg_execution_times.rst", "sg_execution_times.rst"]  # load scripts from elsewhere
smartquotes = False  # they would be curled in default="auto", and two hyphens be a dash
default_role = "py:obj"  # single backticks link where there is something to link to

myst_enable_extensions = ["attrs_inline", "colon_fence", "dollarmath"]
myst_heading_anchors = 3  # as on GitHub

autosummary_generate = True
toc_object_entries_show_parents = "hide"
autodoc_typehints = "none"  # numpydoc's sections have the types
METHODS = ("fit", "partial_fit", "predict", "predict_proba", "decision_function", "score")
autodoc_default_options = {
    "members": True,
    # Up to these: what an engine's class and scikit-learn's own say of their methods is on their sites.
    "inherited-members": "LGBMModel,XGBModel,HistGradientBoostingClassifier,MLPClassifier,ClassifierMixin,tuple",
    "exclude-members": ",".join(
        ["best_iteration_", "n_classes_", "get_metadata_routing", "get_params", "set_params"]
        + [f"set_{method}_request" for method in METHODS]
    ),
}
templates_path = ["_templates"]
numpydoc_show_class_members = False  # the templates list them
# Not those that want a type for "as in lightgbm.LGBMClassifier", or an example and all sections for each method.
numpydoc_validation_checks = {
    "GL01", "GL03", "GL05", "GL06", "GL07", "GL08", "GL09", "GL10", "SS01", "SS03", "SS04",
    "PR02", "PR05", "PR06", "PR08", "PR10", "RT04", "RT05", "SA02", "SA03", "SA04",
}  # fmt: skip
numpydoc_validation_overrides = {"PR02": ["As in `xgboost.XGBClassifier`"]}  # whose parameters are keywords

copybutton_prompt_text = r">>> |\.\.\. |\$ "
copybutton_prompt_is_regexp = True

sphinx_gallery_conf = {
    "examples_dirs": "../examples",
    "gallery_dirs": "gallery",
    "within_subsection_order": "gallery.position",
    "filename_pattern": r"plot_",
    "doc_module": "skfocal",
    "backreferences_dir": "gallery/of",
    "download_all_examples": False,
    "remove_config_comments": True,
    "show_memory": False,
    "show_signature": False,
    "capture_repr": (),  # what is worth seeing is printed or drawn
    "thumbnail_size": (560, 300),
    "image_srcset": ["2x"],
}

html_math_renderer = "katex"
html_theme = "pydata_sphinx_theme"
html_title = "skfocal"
html_favicon = "_static/favicon.svg"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_js_files = ["tables.js"]
html_show_sourcelink = False
# Pages with none below or beside them need no sidebar.
html_sidebars = {page.stem: [] for page in HERE.glob("*.md") if page.stem not in {"api", "coming_from", "theory"}}
html_show_search_summary = False  # a page that is opened from a file may fetch no other
html_context = {"default_mode": "auto"}  # light or dark, as the system is
html_theme_options = {
    "header_links_before_dropdown": 7,
    "icon_links": [],
    "logo": {"text": "skfocal"},
    "navbar_align": "left",
    "secondary_sidebar_items": ["page-toc"],
    "show_prev_next": True,
    "show_toc_level": 2,  # the questions, too
    "footer_start": ["copyright"],
    "footer_end": [],
}
if switcher := os.environ.get("SKFOCAL_SWITCHER"):
    html_theme_options |= {
        "switcher": {"json_url": switcher, "version_match": "dev" if "rc" in release else version},
        "check_switcher": False,
        "navbar_end": ["version-switcher", "theme-switcher", "navbar-icon-links"],
    }
