"""Every row of METHODS through the same checks, most on a stub encoder."""

import os

import numpy as np
import pytest
import tensorflow as tf

from kfer import methods, tasks
from kfer import runs as runs_lib
from kfer.data import record
from kfer.errors import UserError
from kfer.methods import METHODS, base
from kfer.training import checkpoints, loop
from tests import runs
from tests.methods import toys

# Their steps take half a minute to build twice; they have quick tests of their own.
SLOW = (
    *("joint", "without_joint", "without_marginal", "without_gx", "joint_alone"),
    *("joint_em", *toys.COMPOSED),
)
NAMES = (*METHODS, *toys.COMPOSED)
ALL = [pytest.param(n, marks=pytest.mark.slow if n in SLOW else ()) for n in NAMES]
OTHERS = [name for name, row in METHODS.items() if row.kind]
# Their game plays on without labels.
NO_GAME = [name for name in OTHERS if not name.startswith("joint_em")]


@pytest.mark.parametrize("name", ALL)
def test_step_checkpoint_and_answers(
    tiny_config, make_method, make_batch, monkeypatch, tmp_path, name
):
    monkeypatch.setattr(base, "Encoder", toys.StubEncoder)
    run = toys.mixed_config(tiny_config, name)
    method = make_method(run)
    missing = {task.name: (0, 5) for task in run.tasks[:1]}
    batch = tf.nest.map_structure(tf.constant, make_batch(run, missing=missing))
    start = [value.numpy() for value in method.generator_variables]
    logs = method.train_step(batch)
    assert list(logs) == method.metric_names()
    assert all(np.isfinite(value) for value in logs.values())
    ends = [value.numpy() for value in method.generator_variables]
    moved = [not np.array_equal(a, b) for a, b in zip(start, ends)]
    if not method.has_warmup:
        # all but the heads of y0, which only the adversarial game reads
        assert sum(moved) == len(moved) - 4 * len(method.encoders)

    checkpoints.Checkpoints(method, str(tmp_path / "run")).save(1)
    other = make_method(run)
    assert checkpoints.restore_model(other, str(tmp_path / "run")) == 1
    for one, two in zip(method.variables, other.variables, strict=True):
        if not any(one is v for m in method.metrics for v in m.variables):
            np.testing.assert_array_equal(one, two)
    for metric in (*method.metrics, *other.metrics):
        metric.reset_state()
    second = {name: float(v) for name, v in method.train_step(batch).items()}
    again = {name: float(v) for name, v in other.train_step(batch).items()}
    assert again == pytest.approx(second, rel=1e-4, abs=1e-5)

    answers = method.answers(batch.image)
    shapes = {target: value.shape for target, value in answers.items()}
    assert shapes == {"class": (8, 3), "pain": (8, 1)}
    assert answers["class"].numpy().sum(1) == pytest.approx(np.ones(8), rel=1e-5)
    assert np.all((answers["pain"] >= -1) & (answers["pain"] <= 10))


@pytest.mark.parametrize("name", ALL)
def test_one_hot_rows_are_learned_as_hard_labels_are(
    tiny_config, make_method, make_batch, monkeypatch, name
):
    """What mixes pictures, or infers labels, hands every method probabilities."""
    monkeypatch.setattr(base, "Encoder", toys.StubEncoder)
    run = toys.mixed_config(tiny_config, name)
    hard = make_batch(run, missing={run.tasks[0].name: (0, 5)})
    rows = {t.name: np.eye(3, dtype=np.float32) for t in run.tasks if t.is_categorical}
    soft = hard._replace(
        labels={n: rows[n][v] if n in rows else v for n, v in hard.labels.items()}
    )
    ends = []
    for batch in (hard, soft):
        method = make_method(run)
        logs = method.train_step(tf.nest.map_structure(tf.constant, batch))
        ends.append(({n: float(v) for n, v in logs.items()}, method))
    assert ends[1][0] == pytest.approx(ends[0][0], rel=1e-4, abs=1e-5)


@pytest.mark.parametrize("name", NO_GAME)
def test_a_batch_without_any_label_moves_no_encoder(
    tiny_config, make_method, make_batch, monkeypatch, name
):
    monkeypatch.setattr(base, "Encoder", toys.StubEncoder)
    own = {"group_weight": 0.0, "lasso_weight": 0.0, "ridge_weight": 0.0}
    run = toys.mixed_config(tiny_config, name, **(own if name == "air" else {}))
    method = make_method(run)
    missing = {task.name: range(8) for task in run.tasks}
    batch = tf.nest.map_structure(tf.constant, make_batch(run, missing=missing))
    start = [v.numpy() for e in method.encoders for v in e.trainable_variables]
    logs = method.train_step(batch)
    assert all(np.isfinite(value) for value in logs.values())
    ends = [v.numpy() for e in method.encoders for v in e.trainable_variables]
    for before, after in zip(start, ends, strict=True):
        np.testing.assert_array_equal(before, after)


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(n, marks=() if n in ("elr", "co_teaching") else pytest.mark.slow)
        for n in (*OTHERS, *toys.COMPOSED)
    ],
)
def test_trains_evaluates_exports_and_reports(monkeypatch, tmp_path, name):
    """The whole way of kfer-train; size and noise rates of the split are filled in."""
    monkeypatch.setattr(base, "Encoder", toys.StubEncoder)
    # the stub has no hidden layers to standardise
    run = runs.config(method=name, gan_start_epoch=-1, encoder_start="he")
    folder = str(tmp_path / "run")
    settings = loop.RunSettings(steps=2, eval_every=1)
    metrics = runs_lib.train(run, runs.dataset(), folder, settings)
    assert metrics["last"]["step"] == 2
    assert set(metrics["last"]["test"]) == {"expression", "valence_arousal"}
    # the same command goes on, here with nothing left to do
    assert runs_lib.train(run, runs.dataset(), folder, settings) == metrics
    assert os.path.isfile(runs_lib.publish(folder))


class TestKindOfLabels:
    @pytest.mark.parametrize("name", OTHERS)
    def test_a_method_without_anything_to_do_is_refused(self, tiny_config, name):
        kind = METHODS[name].kind
        rows = tuple(task for task in toys.mixed_tasks() if task.kind != kind)
        message = f"Method '{name}' is about {kind} labels, and none of the tasks"
        with pytest.raises(UserError, match=message) as error:
            methods.resolve_tasks(tiny_config(method=name, tasks=rows))
        assert "\n" not in str(error.value)

    def test_majority_keeps_every_label_set_of_values(self, tiny_config):
        run = tiny_config(method="vgg_majority", tasks=toys.mixed_tasks())
        found = [(t.name, t.column) for t in methods.resolve_tasks(run).tasks]
        assert found == [
            ("class", "majority"),
            ("pain_1", "pain_1"),
            ("pain_2", "pain_2"),
        ]

    def test_a_majority_is_of_one_target(self, tiny_config):
        names = ("smile", "glasses")
        rows = [tasks.LabelTask(n, "categorical", ("no", "yes")) for n in names]
        run = tiny_config(method="vgg_majority", tasks=tuple(rows))
        line = "column 'majority', which is of one target, and there are smile, glasses"
        with pytest.raises(UserError, match=line):
            methods.resolve_tasks(run)

    def test_heads(self, tiny_config):
        own = ["annotator_1", "annotator_2", "pain_1", "pain_2"]
        expected = {
            "ltnet": ["class", "pain_1", "pain_2"],
            "va_annotators": ["annotator_1", "annotator_2", "pain"],
            "sce": own,
        }
        for name, heads in expected.items():
            method = methods.build(toys.mixed_config(tiny_config, name))
            assert [task.name for task in method.head_tasks] == heads
            assert [task.name for task in method.config.tasks] == own


class TestFitToData:
    def test_fills_in_what_the_method_asks_for(self, tiny_config):
        data = toys.data_of(50)
        run = tiny_config(method="elr")
        assert methods.fit_to_data(run, data).options.num_examples == 50
        plain = tiny_config(method="vgg_all")
        assert methods.fit_to_data(plain, data) is plain

    def test_another_number_is_the_user_s_error(self, tiny_config):
        run = tiny_config(method="elr", num_examples=60)
        assert methods.fit_to_data(run, toys.data_of(60)) == run
        with pytest.raises(UserError, match="num_examples is 60, .* has 50; leave it"):
            methods.fit_to_data(run, toys.data_of(50))

    def test_noise_that_the_data_set_recorded(self, tiny_config):
        noise = {f"annotator_{i}": {"achieved": i / 10} for i in (1, 2)}
        run = tiny_config(method="forward_correction", tasks=toys.mixed_tasks())
        found = methods.fit_to_data(run, toys.data_of(50, noise)).options
        assert (found.transition, found.noise_rates) == ((), (0.1, 0.2))
        # what is set stays, and one rate is no use without the other
        set_to = tiny_config(
            method="forward_correction",
            tasks=toys.mixed_tasks(),
            noise_rates=[0.3, 0.4],
        )
        assert methods.fit_to_data(set_to, toys.data_of(50, noise)) == set_to
        del noise["annotator_2"]
        assert methods.fit_to_data(run, toys.data_of(50, noise)) == run

    def test_people_s_noise_is_not_their_majority_s(self, tiny_config):
        noise = {f"annotator_{i}": {"achieved": i / 10} for i in (1, 2)}
        data = toys.data_of(50, noise)
        classes = ("a", "b", "c")
        crowd = record.Column(
            "annotator_2", "categorical", classes, annotators=("p", "q", "r")
        )
        data.columns["annotator_2"] = crowd
        run = tiny_config(method="forward_correction", tasks=toys.mixed_tasks())
        with pytest.raises(
            UserError, match="the majority of 'annotator_2', whose noise"
        ):
            methods.fit_to_data(run, data)

    def test_a_recorded_confusion_says_more_than_a_rate(self, tiny_config):
        matrix = [[0.5, 0.25, 0.25], [0.0, 1.0, 0.0], [0.5, 0.0, 0.5]]
        row = {"achieved": 0.3, "confusion": matrix}
        noise = {"annotator_1": row, "annotator_2": dict(row)}
        run = tiny_config(method="forward_correction", tasks=toys.mixed_tasks())
        found = methods.fit_to_data(run, toys.data_of(50, noise))
        assert found.options.transition == (tuple(map(tuple, matrix)),) * 2
        assert methods.fit_to_data(found, toys.data_of(50, noise)) == found
        unknown = [*matrix[:2], [0.0, 0.0, 0.0]]  # a class that never occurs
        noise["annotator_2"]["confusion"] = unknown
        found = methods.fit_to_data(run, toys.data_of(50, noise)).options
        assert (found.transition, found.noise_rates) == ((), (0.3, 0.3))
