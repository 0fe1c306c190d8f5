"""The recipes' values, and that docs/design/recipes.md says the same."""

import dataclasses
from pathlib import Path

import pytest

from kfer.errors import UserError
from kfer.settings.config import EXPERIMENTS, experiment_config
from kfer.settings.recipes import KFER, PAPER, RECIPES, Recipe

DOCS = Path(__file__).resolve().parents[2] / "docs" / "design" / "recipes.md"
OPTIONS = [f.name for f in dataclasses.fields(Recipe) if f.name != "name"]
CHOICES = [name for name in OPTIONS if isinstance(getattr(PAPER, name), str)]


@pytest.mark.parametrize("option", CHOICES)
def test_every_choice_is_checked(option):
    with pytest.raises(UserError, match=f"{option} 'neither' is none of ") as error:
        dataclasses.replace(KFER, **{option: "neither"})
    assert "\n" not in str(error.value)


def test_at_least_one_discriminator_step():
    with pytest.raises(UserError, match="discriminator_steps is 0, must be 1 or more"):
        dataclasses.replace(KFER, discriminator_steps=0)


def test_recipes_are_found_by_name():
    assert list(RECIPES) == ["paper", "authors_2021", "kfer", "repaired"]
    assert all(recipe.name == name for name, recipe in RECIPES.items())


def test_the_game_s_numbers_are_in_range():
    with pytest.raises(UserError, match=r"lambda_ratio must be in \[0, 1000\], got -1"):
        dataclasses.replace(KFER, lambda_ratio=-1.0)
    with pytest.raises(UserError, match="lambda_ramp_steps must be in .*, got -5"):
        dataclasses.replace(KFER, lambda_ramp_steps=-5)


def test_what_came_later_is_off_in_the_older_recipes():
    later = {
        "joint_score": "mlp",
        "labels_through_annotators": False,
        "lambda_ratio": 0.0,
        "lambda_ramp_steps": 0,
        "r1_weight": 0.0,
    }
    for name in ("paper", "authors_2021", "kfer"):
        fields = dataclasses.asdict(RECIPES[name])
        kept = Recipe.without_later(fields)
        assert {**kept, **later} == fields and not set(later) & set(kept)
        # a recipe saved before loads as it was
        assert Recipe(**kept) == RECIPES[name]
    repaired = Recipe.without_later(dataclasses.asdict(RECIPES["repaired"]))
    assert set(repaired) == {"name", *OPTIONS} - {"r1_weight"}


def test_algorithm_1_as_printed():
    assert (PAPER.update_order, PAPER.discriminator_steps) == ("generator_first", 1)
    assert (PAPER.score_reduction, PAPER.gan_start_epoch) == ("sum", -1)


def table_rows(text, columns):
    """The cells of the rows of a table with that many columns."""
    rows = [
        line.strip("|\n ").split(" | ") for line in text.splitlines() if "|" in line
    ]
    rows = [[cell.strip(" `") for cell in row] for row in rows if len(row) == columns]
    return [row for row in rows if set(row[0]) != {"-"}][1:]


def as_text(value):
    return str(value).lower() if isinstance(value, bool) else str(value)


class TestDocumentedRecipes:
    def test_every_option_is_in_the_table_with_its_values(self):
        section = DOCS.read_text().split("### Set apart")[0]
        rows = {row[0]: row for row in table_rows(section, 6)}
        assert list(rows) == OPTIONS
        for option, (_, *values, reason) in rows.items():
            expected = [as_text(getattr(RECIPES[name], option)) for name in RECIPES]
            assert values == expected, option
            assert len(reason) > 20, option

    def test_the_columns_are_the_recipes(self):
        header = next(line for line in DOCS.read_text().splitlines() if "|" in line)
        assert [c.strip() for c in header.strip("|").split("|")][1:5] == list(RECIPES)

    def test_what_is_set_apart_by_data_set(self):
        section = DOCS.read_text().split("### Set apart")[1].split("## How D")[0]
        documented = {tuple(row) for row in table_rows(section, 4)}
        found = set()
        for run in EXPERIMENTS.values():
            for name, recipe in RECIPES.items():
                chosen = experiment_config(run.name, name).recipe
                found |= {
                    (run.dataset, name, option, as_text(getattr(chosen, option)))
                    for option in OPTIONS
                    if getattr(chosen, option) != getattr(recipe, option)
                }
        assert documented == found
