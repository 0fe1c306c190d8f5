"""Cells become flags that kfer-train takes, at every scale."""

import json
import subprocess
import sys

import pytest

from kfer.errors import UserError
from kfer.experiments import cells, tables
from kfer.experiments.cells import Cell
from kfer.settings import config as config_lib

# In a process of its own: the flags of two commands can't be defined in one.
PARSE = """
import json, sys
from absl.testing import flagsaver
from kfer.settings import config, own_data
from kfer.bin import train_main

def configured():
    if train_main.FLAGS.experiment:
        return train_main.preset_from_flags()
    tasks = config.EXPERIMENTS["synthetic_faces"].tasks
    given = train_main.settings_from_flags()
    return own_data.experiment(tasks, "synthetic_faces", 32, 4000, True, **given)

found = []
for flags in json.load(sys.stdin):
    with flagsaver.flagsaver():
        train_main.FLAGS(["kfer-train", *flags])
        run = config.to_dict(configured())
        found.append((run, train_main.FLAGS.steps))
json.dump(found, sys.stdout)
"""


def parsed(scale, *chosen, recipe="kfer"):
    """(config, steps) that kfer-train makes of each cell's flags."""
    flags = [cells.train_flags(cell, scale, recipe) for cell in chosen]
    done = subprocess.run(
        [sys.executable, "-c", PARSE],
        input=json.dumps(flags),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    rows = json.loads(done.stdout)
    return [(config_lib.from_dict(run), steps) for run, steps in rows]


def test_a_cell_of_the_small_scale():
    cell = Cell("cifar10", "co_teaching", 2)
    [(config, steps)] = parsed(cells.SCALES["cpu"], cell)
    assert config.name == "cifar10_multi"
    assert (config.method, config.seed) == ("co_teaching", 2)
    assert (config.width, config.batch_size, config.learning_rate) == (0.125, 128, 1e-3)
    assert (config.augmentation, config.dropout_rate) == ("none", 0.0)
    assert config.options.forget_rate == 0.3
    assert steps == 775


def test_a_game_s_warm_up_is_said_to_games_alone():
    games = [Cell("cifar10", method, 0) for method in ("joint", "joint_em", "em")]
    flags = [cells.train_flags(cell, cells.SCALES["cpu"], "kfer") for cell in games]
    said = ["--set=gan_start_epoch=7" in given for given in flags]
    assert said == [True, True, False]


def test_a_scale_has_options_for_a_method_and_says_so():
    scale = cells.SCALES["fast_faces"]
    [(sce, _), (em, _)] = parsed(scale, Cell("faces", "sce", 0), Cell("faces", "em", 0))
    assert (sce.options.alpha, sce.options.beta) == (1.0, 0.1)
    assert em.options.em_power == 1.0
    assert "sce alpha 1, beta 0.1; gce q 0.3" in scale.about
    assert "Options" not in cells.SCALES["fast_s"].about


def test_the_full_scale_is_the_experiment_itself():
    cell = Cell("raf_multi", "joint", 0)
    [(config, steps)] = parsed(cells.SCALES["paper"], cell, recipe="paper")
    assert (config.width, config.image_size, config.epochs, steps) == (1.0, 64, 100, 0)
    assert config.recipe.name == "paper"


@pytest.mark.parametrize("scale", cells.SCALES.values(), ids=cells.SCALES)
def test_every_cell_of_every_table_is_a_config(scale):
    every = {cell for table in tables.TABLES.values() for cell in table.cells(range(1))}
    for cell, (config, _) in zip(every, parsed(scale, *every), strict=True):
        assert config.name == (cells.SETTINGS[cell.setting].experiment or "own_data")
        assert config.method == cell.method
    assert len(every) > 40


def test_a_cell_names_its_folder():
    assert Cell("cifar10", "joint", 1).key == "cifar10-joint-1"


def test_an_unknown_scale():
    with pytest.raises(UserError, match="Unknown scale 'huge'; known: paper, cpu"):
        cells.scale_of("huge")
