"""Open every page of the built site in headless Chromium, from its file: wide and phone-wide, light and dark.

    python .ci/check_pages.py docs/_build/html
    python .ci/check_pages.py docs/_build/html --pictures FOLDER index guide/loss    # look at some of them

A page fails if it has no title or no h1, writes an error to the console, asks for something that is not there or from
another host, is wider than the window, or has a formula that is not drawn. The search must find the focal loss.
"""

import argparse
import shutil
import sys
from pathlib import Path

from playwright.sync_api import Error, sync_playwright

WIDTHS = (1280, 390)
SCHEMES = ("light", "dark")
LOOK = """() => ({
    title: document.title,
    h1: document.querySelectorAll("h1").length,
    wider: Math.max(...[...document.querySelectorAll("html, main, .bd-article-container, article")].map(
        each => each.scrollWidth - each.clientWidth)),
    undrawn: [...document.querySelectorAll(".tex")].filter(each => !each.querySelector(".katex-html")).length,
    broken: [...document.images].filter(each => each.complete && !each.naturalWidth).map(each => each.src),
})"""


def chromium():
    """Return the path of the browser."""
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if path is None:
        sys.exit("There is no Chromium to open the pages in. On Debian: apt-get install chromium")
    return path


def watch(page, faults):
    """Note what goes wrong while a page is loaded."""

    def note_console(message):
        if message.type == "error":
            faults.append(f"console: {message.text}")

    def note_request(request):
        if not request.url.startswith(("file:", "data:", "blob:")):
            faults.append(f"elsewhere: {request.url}")

    page.on("console", note_console)
    page.on("pageerror", lambda error: faults.append(f"script: {error}"))
    page.on("request", note_request)
    page.on("requestfailed", lambda request: faults.append(f"not there: {request.url}"))


def look_at(page, scheme):
    """Return what is wrong with a page that has been loaded."""
    page.emulate_media(color_scheme=scheme)
    page.wait_for_function("scheme => document.documentElement.dataset.theme === scheme", arg=scheme)
    found = page.evaluate(LOOK)
    wrong = [f"picture: {source}" for source in found["broken"]]
    if not found["title"] or not found["h1"]:
        wrong.append("no title, or no h1")
    if found["wider"] > 0:
        wrong.append(f"{found['wider']} px too wide")
    if found["undrawn"]:
        wrong.append(f"{found['undrawn']} formulas are not drawn")
    return wrong


def search(page, site):
    """Return what is wrong with the search."""
    page.goto((site / "search.html").as_uri() + "?q=focal+loss", wait_until="load")
    try:
        page.wait_for_selector("#search-results li a", timeout=10_000)
    except Error as error:
        return [f"the search finds nothing: {error}"]
    return []


def check(browser, site, pages, pictures):
    """Open all pages in all ways; return {page and way: what is wrong}."""
    wrong, faults = {}, []
    for width in WIDTHS:
        page = browser.new_page(viewport={"width": width, "height": 800})
        watch(page, faults)
        for path in pages:
            faults.clear()
            page.goto(path.as_uri(), wait_until="load")
            name = path.relative_to(site).with_suffix("").as_posix()
            for scheme in SCHEMES:
                wrong[f"{name}, {width} px, {scheme}"] = look_at(page, scheme) + faults
                if pictures:
                    target = f"{name.replace('/', '_')}_{width}_{scheme}.png"
                    page.screenshot(path=pictures / target, full_page=True)
        faults.clear()
        wrong[f"search, {width} px"] = search(page, site) + faults
        page.close()
    return {name: faults for name, faults in wrong.items() if faults}


def main():
    """Check, print what is wrong, and exit with 1 if anything is."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("site", type=Path, help="the folder with index.html")
    parser.add_argument("pages", nargs="*", help="names without .html; all of them if none is given")
    parser.add_argument("--pictures", type=Path, help="where pictures of the pages go")
    options = parser.parse_intermixed_args()
    site = options.site.resolve()
    named = [site / f"{name}.html" for name in options.pages]
    pages = named or [path for path in sorted(site.rglob("*.html")) if "_static" not in path.parts]
    if options.pictures:
        options.pictures.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium())
        wrong = check(browser, site, pages, options.pictures)
        browser.close()
    for name, faults in wrong.items():
        print(f"{name}:", *sorted(set(faults)), sep="\n    ")
    print(f"{len(pages)} pages, each in {len(WIDTHS) * len(SCHEMES)} ways: {len(wrong)} not as they should be")
    sys.exit(bool(wrong) or not pages)


if __name__ == "__main__":
    main()
