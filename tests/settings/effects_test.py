"""What is given and not read is said."""

import dataclasses

import pytest

from kfer.settings import axes, effects, optimization
from kfer.settings.config import experiment_config
from kfer.settings.recipes import Recipe


def lines(caplog, method, **settings):
    caplog.clear()
    with caplog.at_level("WARNING"):
        experiment_config("cifar10_multi", method=method, **settings)
    return [record.getMessage() for record in caplog.records]


@pytest.mark.parametrize(
    ("method", "settings", "why"),
    (
        ("vgg_all", {"r1_weight": 3.0}, "method 'vgg_all' plays no game"),
        ("ltnet+sce", {"lambda_gan": 0.5}, "method 'ltnet+sce' plays no game"),
        ("em", {"discriminator_rate": 1e-3}, "method 'em' plays no game"),
        ("em", {"decoder_rate": 1e-3}, "method 'em' has no decoder"),
        ("without_gx", {"decoder_rate": 1e-3}, "method 'without_gx' has no decoder"),
        (
            "joint_em_without_gx",
            {"decoder_rate": 1e-3},
            "method 'joint_em_without_gx' has no decoder",
        ),
        (
            "ltnet",
            {"confusion_rate": 0.1},
            "method 'ltnet' has no networks of matrices",
        ),
        ("vgg_all", {"momentum": 0.8}, "optimizer is 'adam'"),
        ("vgg_all", {"decay_form": "decoupled"}, "weight_decay is 0"),
        ("vgg_all", {"warmup_share": 0.1}, "schedule is 'constant'"),
        ("vgg_all", {"ema_decay": 0.9}, "averaging is 'none'"),
        (
            "vgg_all",
            {"lookahead_every": 3, "averaging": "ema"},
            "averaging is 'ema'",
        ),
        ("em", {"whitening_rate": 0.5}, "backbone 'vgg16' has no whitening"),
        ("em", {"beta_1": 0.5, "optimizer": "sgd"}, "nothing is updated by Adam"),
        ("em", {"clip_continuous": True}, "no task is of values"),
        ("em", {"shifted_mirror": True}, "augmentation is 'crop_flip'"),
        (
            "without_joint",
            {"joint_score": "projection"},
            "method 'without_joint' has no joint score",
        ),
        (
            "joint",
            {"count_removed_scores": True, "score_reduction": "sum"},
            "score_reduction is 'sum'",
        ),
        ("vgg_all", {"crop_pad": 3, "augmentation": "face"}, "augmentation is 'face'"),
    ),
)
def test_one_line_says_what_and_why(caplog, method, settings, why):
    name = next(iter(settings))
    wanted = f"{name} is given and has no effect: {why}"
    assert lines(caplog, method, **settings) == [wanted]


@pytest.mark.parametrize(
    ("method", "settings"),
    (
        ("joint", {"r1_weight": 3.0, "lambda_gan": 0.5, "decoder_rate": 1e-3}),
        ("joint+ltnet", {"lambda_ratio": 0.3, "gan_start_epoch": 3}),
        ("joint_em_without_gx", {"lambda_ratio": 0.3, "discriminator_rate": 1e-3}),
        ("annot_mix", {"confusion_rate": 0.1}),
        ("vgg_all", {"momentum": 0.8, "optimizer": "sgd"}),
        ("vgg_all", {"momentum": 0.8, "optimization": "fast"}),
        ("vgg_all", {"decay_form": "decoupled", "weight_decay": 0.1}),
        ("vgg_all", {"start_factor": 0.1, "schedule": "cosine"}),
        ("vgg_all", {"ema_decay": 0.9, "averaging": "ema"}),
        ("vgg_all", {"crop_fill": "reflect"}),
        ("em", {"whitening_rate": 0.5, "backbone": "compact_s"}),
        ("joint", {"beta_1": 0.5, "optimizer": "sgd"}),
        ("joint", {"count_removed_scores": True, "score_reduction": "mean"}),
        # A preset's own settings are nobody's choice.
        ("vgg_all", {"optimization": "fast", "optimizer": "adam"}),
    ),
)
def test_what_is_read_is_passed_over(caplog, method, settings):
    assert lines(caplog, method, **settings) == []


def test_the_settings_that_are_named_exist():
    recipe = {field.name for field in dataclasses.fields(Recipe)}
    config = experiment_config("cifar10_multi")
    known = {*recipe, *optimization.NAMES, *vars(config)}
    named = (effects._GAME, effects._READ_WITH, effects._OF_VALUES, effects._OF_ADAM)
    assert {name for names in named for name in names} <= known


@pytest.mark.parametrize(
    ("method", "wanted"),
    (
        ("joint", "joint"),
        ("joint_em", "joint"),
        ("joint_em_without_gx", "joint_alone"),
        ("without_marginal", "without_marginal"),
        ("joint_alone+em+gce", "joint_alone"),
        ("vgg_all", "none"),
        ("em", "none"),
        ("forward_correction", "none"),
        ("co_teaching", "none"),
        ("ltnet+sce", "none"),
    ),
)
def test_a_method_s_game(method, wanted):
    assert axes.regulariser_of(method) == wanted
