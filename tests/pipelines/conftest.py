"""One tiny run that all tests of pipelines share."""

import pytest


@pytest.fixture(scope="session")
def first(tmp_path_factory):
    """(root, result and lines of the first run, the same of the second)."""
    pytest.importorskip("tfx")
    from tests.pipelines import tiny

    root = tmp_path_factory.mktemp("pipeline")
    one = tiny.run(tiny.config(), root)
    return root, one, tiny.run(tiny.config(), root)
