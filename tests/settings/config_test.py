import dataclasses
import json

import pytest

from kfer import tasks
from kfer.errors import UserError
from kfer.settings import config, parsing
from kfer.settings.config import (
    EXPERIMENTS,
    ExperimentConfig,
    experiment_config,
)
from kfer.settings.optimization import Optimization
from kfer.settings.recipes import RECIPES, Recipe

OPTIONS = [f.name for f in dataclasses.fields(Recipe) if f.name != "name"]


class TestExperiments:
    @pytest.mark.parametrize("recipe", RECIPES)
    @pytest.mark.parametrize("name", EXPERIMENTS)
    def test_every_cell_builds_and_survives_json(self, name, recipe):
        for method in ("joint", "vgg_all"):
            run = experiment_config(name, recipe, method)
            assert (run.name, run.recipe.name, run.method) == (name, recipe, method)
            assert config.from_dict(config.to_dict(run)) == run
            text = json.dumps(config.to_dict(run))
            assert config.from_dict(json.loads(text)) == run

    def test_names(self):
        assert set(EXPERIMENTS) == {
            "cifar10_multi",
            "cifar10_single",
            "cifar10n_multi",
            "raf_multi",
            "raf_single",
            "affectnet_multi",
            "affectnet_single_expression",
            "affectnet_single_va",
            "ferplus_multi",
            "ferplus_va",
            "ferplus_votes",
            "synthetic_faces",
            "synthetic_judges",
        }

    def test_settings_of_the_paper_s_tables(self):
        multi = experiment_config("cifar10_multi")
        assert [t.name for t in multi.tasks] == [f"annotator_{i}" for i in (1, 2, 3)]
        assert multi.flip_rates == (0.2, 0.3, 0.4)
        single = experiment_config("cifar10_single")
        assert (len(single.tasks), single.flip_rates) == (1, (0.2,))
        lambdas = {n: experiment_config(n).lambda_gan for n in EXPERIMENTS}
        assert lambdas["cifar10_multi"] == lambdas["cifar10n_multi"] == 0.8
        assert lambdas["raf_multi"] == lambdas["raf_single"] == 1.0
        assert lambdas["affectnet_multi"] == lambdas["affectnet_single_va"] == 0.4
        for name in ("raf_multi", "affectnet_multi"):
            run = experiment_config(name)
            assert [t.name for t in run.tasks] == ["expression", "valence_arousal"]
            assert (run.image_size, run.embedding_size) == (64, 500)
        run = experiment_config("affectnet_single_va")
        assert [t.name for t in run.tasks] == ["valence_arousal"]

    @pytest.mark.parametrize("name", ("cifar10_multi", "raf_multi"))
    def test_training_of_the_2021_code(self, name):
        run = experiment_config(name, "authors_2021")
        assert (run.batch_size, run.noise_size, run.dropout_rate) == (128, 100, 0.5)
        assert (run.learning_rate, run.beta_1, run.beta_2) == (1e-4, 0.9, 0.999)
        assert (run.epsilon, run.width) == (1e-8, 1.0)

    def test_warmup_epochs_of_the_2021_code(self):
        def start(name, recipe="authors_2021"):
            return experiment_config(name, recipe).recipe.gan_start_epoch

        for recipe in ("authors_2021", "kfer", "repaired"):
            assert start("cifar10_multi", recipe) == 0
            assert start("raf_multi", recipe) == start("raf_single", recipe) == 5
            assert start("affectnet_multi", recipe) == -1
        assert {start(name, "paper") for name in EXPERIMENTS} == {-1}

    def test_affectnet_is_not_shuffled_by_the_2021_code_alone(self):
        shuffled = {
            recipe: experiment_config("affectnet_multi", recipe).recipe.shuffle
            for recipe in RECIPES
        }
        assert shuffled.pop("authors_2021") is False
        assert all(shuffled.values())


class TestOverrides:
    def test_of_the_run_and_of_its_recipe(self):
        run = experiment_config("raf_multi", width=0.25, gan_start_epoch=2, seed=7)
        assert (run.width, run.recipe.gan_start_epoch, run.seed) == (0.25, 2, 7)
        assert run.recipe.name == "kfer"

    @pytest.mark.parametrize(
        "arguments, fields, message",
        [
            (("cifar",), {}, r"^Unknown experiment 'cifar'; known: affectnet_multi, "),
            (
                ("raf_multi", "ours"),
                {},
                r"^Unknown recipe 'ours'; known: authors_2021, kfer, paper, repaired$",
            ),
            (("raf_multi",), {"widht": 1}, r"^Unknown setting \['widht'\]; known: \["),
            (("raf_multi",), {"image_size": 40}, r"image_size 40 is none of \(32, 48,"),
            (
                ("raf_multi",),
                {"augmentation": "mixup"},
                "augmentation 'mixup' is none of crop_flip, face, none",
            ),
            (("raf_multi",), {"width": 0}, "width must be above 0, got 0"),
            (("raf_multi",), {"batch_size": -8}, "batch_size must be above 0, got -8"),
            (("raf_multi",), {"learning_rate": 0.0}, "learning_rate must be above 0"),
            (("raf_multi",), {"epochs": 0}, "epochs must be above 0"),
            (
                ("raf_multi",),
                {"dropout_rate": 1.0},
                r"dropout_rate must be in \[0, 1\)",
            ),
            (("raf_multi",), {"tasks": ()}, r"at least one row, got \[\]"),
            (("raf_multi",), {"discriminator_steps": 0}, "discriminator_steps"),
            (
                ("raf_multi",),
                {"update_order": "both"},
                "update_order 'both' is none of generator_first, discriminator_first",
            ),
        ],
    )
    def test_wrong_names_and_values_say_why_in_one_line(
        self, arguments, fields, message
    ):
        with pytest.raises(UserError, match=message) as error:
            experiment_config(*arguments, **fields)
        assert "\n" not in str(error.value)

    @pytest.mark.parametrize(
        "setting",
        [
            "width=wide",
            "batch_size=2.5",
            "epochs=[3]",
            "dropout_rate=none",
            "seed=first",
            "shuffle=no",
            "discriminator_steps=two",
        ],
    )
    def test_a_value_of_another_type_is_the_user_s_error(self, setting):
        with pytest.raises(UserError, match=setting.split("=")[0]) as error:
            experiment_config("raf_multi", **parsing.parse_settings([setting]))
        assert "\n" not in str(error.value)


class TestChannels:
    def test_the_paper_s_width_keeps_every_count(self):
        run = experiment_config("raf_multi")
        assert [run.channels(n) for n in (64, 500, 512, 1024)] == [64, 500, 512, 1024]

    @pytest.mark.parametrize(
        "width, count, expected",
        [
            (0.25, 64, 16),
            (0.25, 500, 128),
            (0.125, 64, 8),
            (0.01, 512, 8),
            (2.0, 64, 128),
        ],
    )
    def test_other_widths_go_in_eights(self, width, count, expected):
        assert experiment_config("raf_multi", width=width).channels(count) == expected


def test_stream_tasks():
    row = tasks.expression_task(stream=False)
    run = experiment_config("raf_multi", tasks=(row, tasks.valence_arousal_task()))
    assert [t.name for t in run.stream_tasks] == ["valence_arousal"]


OTHER = {
    "name": "other",
    "dataset": "other",
    "tasks": (tasks.expression_task(8),),
    "recipe": RECIPES["paper"],
    "method": "vgg_all",
    "backbone": "compact",
    "image_size": 96,
    "score_weights": config.ScoreWeights(joint=0.0),
    "augmentation": "none",
    "flip_rates": (0.1,),
    "optimization": Optimization(schedule="cosine"),
}

# Of the method: tests/settings/options_test.py has them.
FIELDS = [f.name for f in dataclasses.fields(ExperimentConfig) if f.name != "options"]


class TestHashAndDifferences:
    @pytest.mark.parametrize("field", FIELDS)
    def test_any_setting_changes_the_hash(self, field):
        run = experiment_config("raf_multi", "authors_2021")
        value = OTHER.get(field, getattr(run, field))
        if value is getattr(run, field):  # a number
            value = value / 2 if isinstance(value, float) else value + 1
        other = dataclasses.replace(run, **{field: value})
        assert config.config_hash(other) != config.config_hash(run)
        found = config.differences(run, other)
        named = "optimization.schedule" if field == "optimization" else field
        assert len(found) == 1 and found[0].startswith(f"{named}: ")
        assert config.from_dict(config.to_dict(other)) == other

    @pytest.mark.parametrize("option", OPTIONS)
    def test_any_option_of_the_recipe_changes_the_hash(self, option):
        runs = [experiment_config("synthetic_faces", recipe) for recipe in RECIPES]
        values = {getattr(run.recipe, option) for run in runs}
        number = {"shuffle": False, "r1_weight": 10.0}.get(option)
        other = (
            number
            if len(values) == 1
            else (values - {getattr(runs[2].recipe, option)}).pop()
        )
        changed = experiment_config("synthetic_faces", **{option: other})
        assert config.config_hash(changed) != config.config_hash(runs[2])

    def test_any_field_of_a_task_changes_the_hash(self):
        run = experiment_config("raf_single")
        for field, value in (("weight", 0.5), ("stream", False), ("column", "other")):
            task = dataclasses.replace(run.tasks[0], **{field: value})
            other = dataclasses.replace(run, tasks=(task,))
            assert config.config_hash(other) != config.config_hash(run)

    def test_the_hash_is_a_function_of_the_values(self):
        first = config.config_hash(experiment_config("raf_multi"))
        assert first == config.config_hash(experiment_config("raf_multi"))
        assert len(first) == 16 and int(first, 16) >= 0

    def test_differences_by_hand(self):
        run = experiment_config("raf_multi")
        assert config.differences(run, run) == []
        other = dataclasses.replace(run, width=0.5, seed=3)
        assert config.differences(run, other) == ["width: 1.0 -> 0.5", "seed: 0 -> 3"]


class TestFromDict:
    @pytest.fixture
    def fields(self):
        return config.to_dict(experiment_config("raf_multi"))

    def test_saved_before_there_was_a_choice_of_optimizer(self, fields):
        del fields["optimization"]
        assert config.from_dict(fields) == experiment_config("raf_multi")

    def test_the_hash_is_that_of_before_there_was_a_choice(self):
        # of commit aed7d31
        found = config.config_hash(experiment_config("raf_multi", "paper"))
        assert found == "238c8f5163135462"

    def test_the_hash_is_that_of_before_values_had_annotators(self):
        # of commit 697779d
        run = experiment_config("cifar10_multi", method="em")
        assert config.config_hash(run) == "0c596d5a5d78f813"
        other = experiment_config("cifar10_multi", method="em", em_values="mean")
        assert config.config_hash(other) != config.config_hash(run)

    @pytest.mark.parametrize(
        "spoil, named",
        [
            (lambda f: f.update(optimizer="sgd"), "optimizer"),
            (lambda f: f["recipe"].update(magic=1), "magic"),
            (lambda f: f["recipe"].pop("flip"), "flip"),
            (lambda f: f["tasks"][0].update(colour=1), "colour"),
            (lambda f: f.pop("tasks"), "tasks"),
            (lambda f: f.pop("dataset"), "dataset"),
            (lambda f: f.update(score_weights={"z": 1.0}), "z"),
        ],
    )
    def test_a_config_of_another_version(self, fields, spoil, named):
        spoil(fields)
        with pytest.raises(
            UserError, match=f"does not fit this version.*{named}"
        ) as error:
            config.from_dict(fields)
        assert "\n" not in str(error.value)

    def test_the_fields_are_left_alone(self, fields):
        before = json.dumps(fields)
        config.from_dict(fields)
        assert json.dumps(fields) == before
