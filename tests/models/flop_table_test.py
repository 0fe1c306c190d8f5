"""The document says what is counted."""

from pathlib import Path

import pytest

from kfer.models import flop_table
from kfer.settings.config import experiment_config

DOC = Path(__file__).resolve().parents[2] / "docs" / "design" / "flops.md"


@pytest.mark.parametrize("name", ("cifar10_multi", "raf_multi"))
def test_the_document_agrees(name):
    assert flop_table.table(experiment_config(name)) in DOC.read_text()
