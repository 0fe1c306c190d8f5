"""The parity tests see what they are for: each wrong step here is red at step 1.

Under any kernels: ONEDNN_MAX_CPU_ISA=AVX2 and SSE41 choose others on one machine.
"""

import dataclasses

import pytest

from kfer.losses import adversarial
from tests.parity import goldens, goldens_test
from tests.parity.golden_run import Run


def with_recipe(config, **fields):
    return dataclasses.replace(
        config, recipe=dataclasses.replace(config.recipe, **fields)
    )


MUTATIONS = {
    "epsilon": lambda config: dataclasses.replace(config, epsilon=1e-7),
    "a D step less": lambda config: with_recipe(config, discriminator_steps=1),
    "the generator first": lambda config: with_recipe(
        config, update_order="generator_first"
    ),
}


def golden_run():
    paths = [path for path in goldens.golden_files() if path.stem == "cifar10_b8"]
    if not paths:
        pytest.skip("there is no golden file cifar10_b8")
    return Run(paths[0])


@pytest.mark.slow
@pytest.mark.parametrize("name", MUTATIONS)
def test_a_wrong_step_is_red(name, monkeypatch):
    right = goldens.config_of
    monkeypatch.setattr(goldens, "config_of", lambda g: MUTATIONS[name](right(g)))
    run = golden_run()
    wrong = goldens_test.changes_judged(run, 1, 0)
    assert len(wrong) >= 10, wrong
    print(f"{name}: {len(wrong)} of {len(run.judged_parameters(1))} changes are red")


@pytest.mark.slow
def test_a_gradient_in_the_place_of_none_is_red(monkeypatch):
    right = adversarial.discriminator_decoder
    monkeypatch.setattr(
        adversarial,
        "discriminator_decoder",
        lambda score, weight, inside=False: right(score, 1.001 * weight, inside),
    )
    run = golden_run()
    names = {str(name) for name in run.golden["parameter_names"]}
    silent = {n for n in names if run.expected_change(1, n) == 0}
    wrong = {name for name, _ in goldens_test.gradients_judged(run, 0)}
    assert len(silent) == 10
    assert silent <= wrong, silent - wrong
