"""Named pipelines: what they are made of, and what is refused."""

import pytest

from kfer.errors import UserError
from pipelines import config


def test_the_names():
    assert sorted(config.PIPELINES) == [
        "affectnet_base",
        "cifar10_noisy",
        "ferplus",
        "raf_base",
        "synthetic_faces",
        "synthetic_judges",
    ]


@pytest.mark.parametrize("name", config.PIPELINES)
def test_every_task_finds_its_column(name):
    described = config.named(name)
    columns, clean = described.columns()
    for task in described.experiment.tasks:
        found = columns[task.column]
        assert (found.classes or found.dimensions) == (task.classes or task.dimensions)
    targets = {task.target for task in described.experiment.tasks}
    assert targets & set(clean)
    for threshold, least in described.minimum:
        assert threshold.split("/")[0] in clean and 0 < least < 1


def test_raf_base_is_relabelled_by_a_teacher_of_affectnet():
    described = config.named("raf_base")
    teacher = described.teacher
    assert (described.source.dataset, teacher.source.dataset) == ("raf", "affectnet")
    assert teacher.columns == ("expression", "valence_arousal")
    assert "valence_arousal" not in described.source.columns()[0]
    assert "valence_arousal" in described.columns()[0]


def test_affectnet_base_keeps_its_own_valence_and_arousal():
    described = config.named("affectnet_base")
    assert described.teacher.source.dataset == "raf"
    assert described.teacher.columns == ("expression",)
    assert "valence_arousal" in described.source.columns()[0]


def test_cifar10_is_made_noisy_by_the_noiser_alone():
    described = config.named("cifar10_noisy", {"seed": 5})
    assert described.noise.rates == (0.2, 0.3, 0.4) and described.noise.seed == 5
    assert described.source.options.flip_rates == ()


def test_settings_reach_the_experiment_and_its_data():
    described = config.named(
        "synthetic_faces",
        {"seed": 7, "image_size": 64, "epochs": 2},
        limit={"train": 9},
    )
    assert described.experiment.epochs == 2
    assert described.source.options.seed == 7
    assert described.source.options.image_size == 64
    assert described.source.options.limit == {"train": 9}
    teacher = config.named("raf_base", teacher_settings={"method": "joint"}).teacher
    assert teacher.experiment.method == "joint"


@pytest.mark.parametrize("name", ("synthetic_faces", "synthetic_judges"))
def test_drawn_faces_are_the_experiment_as_it_stands(name):
    from kfer.settings import config as config_lib

    described = config.named(name)
    assert described.experiment == config_lib.experiment_config(name)
    assert described.rival == "vgg_all"


@pytest.mark.parametrize(
    "arguments, text",
    [
        (
            ("faces",),
            "Unknown pipeline 'faces'; known: synthetic_faces, synthetic_judges",
        ),
        (("ferplus", {"depth": 3}), r"Unknown setting \['depth'\]"),
        (("ferplus", {"method": "magic"}), "Unknown method 'magic'"),
        (("ferplus", {}, {"epochs": 1}), "The pipeline ferplus has no teacher"),
    ],
)
def test_what_is_refused(arguments, text):
    with pytest.raises(UserError, match=text):
        config.named(*arguments)
    with pytest.raises(UserError, match="The pipeline ferplus has no teacher"):
        config.teacher_columns(config.named("ferplus"))


def test_a_threshold_on_nothing_is_refused_before_training():
    with pytest.raises(UserError, match="No score is called 'expression/f2'"):
        config.named("synthetic_faces", minimum={"expression/f2": 0.5})


def test_a_trainer_is_one_process():
    assert config.named("synthetic_faces").running == config.Running()
    with pytest.raises(UserError, match="not 'multi_worker'; several hosts train with"):
        config.Running(strategy="multi_worker")
