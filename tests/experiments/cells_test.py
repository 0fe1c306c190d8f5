"""Cells become flags that kfer-train takes, at every scale."""

import pytest
from absl.testing import flagsaver

from kfer.bin import train_main
from kfer.errors import UserError
from kfer.experiments import cells, tables
from kfer.experiments.cells import Cell


def parsed(cell, scale, recipe="kfer"):
    with flagsaver.flagsaver():
        train_main.FLAGS(["kfer-train", *cells.train_flags(cell, scale, recipe)])
        return train_main.config_from_flags(), train_main.FLAGS.steps


def test_a_cell_of_the_small_scale():
    config, steps = parsed(Cell("cifar10", "co_teaching", 2), cells.SCALES["cpu"])
    assert (config.name, config.method, config.seed) == (
        "cifar10_multi",
        "co_teaching",
        2,
    )
    assert (config.width, config.batch_size, config.learning_rate) == (0.125, 128, 1e-3)
    assert (config.augmentation, config.dropout_rate) == ("none", 0.0)
    assert (config.options.forget_rate, config.recipe.gan_start_epoch) == (0.3, 7)
    assert steps == 775


def test_the_full_scale_is_the_experiment_itself():
    config, steps = parsed(
        Cell("raf_multi", "joint", 0), cells.SCALES["paper"], "paper"
    )
    assert (config.width, config.image_size, config.epochs, steps) == (1.0, 64, 100, 0)
    assert config.recipe.name == "paper"


@pytest.mark.parametrize("scale", cells.SCALES.values(), ids=cells.SCALES)
def test_every_cell_of_every_table_is_a_config(scale):
    every = {cell for table in tables.TABLES.values() for cell in table.cells(1)}
    for cell in every:
        config, _ = parsed(cell, scale)
        assert config.name == cells.SETTINGS[cell.setting].experiment
        assert config.method == cell.method
    assert len(every) > 40


def test_a_cell_names_its_folder():
    assert Cell("cifar10", "joint", 1).key == "cifar10-joint-1"


def test_an_unknown_scale():
    with pytest.raises(UserError, match="Unknown scale 'huge'; known: paper, cpu"):
        cells.scale_of("huge")
