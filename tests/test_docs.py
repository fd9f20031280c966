"""The documentation: its Python runs and prints what it says."""

import pytest

from .documentation import DOCS, PAGES, blocks, need_packages

WITH_CODE = [page for page in PAGES if blocks(page, "python")]


@pytest.mark.parametrize("page", WITH_CODE, ids=lambda page: page.relative_to(DOCS).with_suffix("").as_posix())
def test_blocks_run_in_order(page, run_block):
    namespace = {}
    for block in blocks(page, "python"):
        need_packages(block)
        run_block(block, namespace)


def test_some_pages_have_python():
    assert len(WITH_CODE) >= 15
