import numpy as np
import pytest

from kfer.errors import UserError
from kfer.training import checkpoints, compiling, run_folder
from tests import runs


def test_a_run_is_restored_with_its_weights_and_step(tmp_path):
    saved, path = runs.method(runs.run_config(), seed=3), str(tmp_path / "run")
    run_folder.claim(path, runs.run_config(), runs.dataset())
    checkpoints.Checkpoints(saved, path).save(7)
    method, config, step = compiling.restored(path)
    assert (step, config) == (7, runs.run_config())
    for found, wanted in zip(method.weights, saved.weights, strict=True):
        np.testing.assert_array_equal(found, wanted)


def test_a_step_without_a_checkpoint():
    with pytest.raises(UserError, match=r"has no checkpoint of step 999"):
        compiling.restored(runs.run(), 999)


def test_both_networks_get_optimizers_of_the_config():
    config = runs.config(learning_rate=0.003, beta_1=0.5)
    method = compiling.compiled(config)
    for optimizer in (method.generator_optimizer, method.discriminator_optimizer):
        assert float(optimizer.learning_rate) == pytest.approx(0.003)
        assert optimizer.beta_1 == 0.5
