import numpy as np
import pytest
import tensorflow as tf

from kfer import tasks
from kfer.models.discriminator import Discriminator, Group
from kfer.settings import config


def group_of(run, size=4, seed=0):
    random = np.random.default_rng(seed)

    def uniform(*shape):
        return tf.constant(random.uniform(-1, 1, (size, *shape)), tf.float32)

    side = run.image_size
    return Group(
        uniform(side, side, 3),
        uniform(run.noise_size),
        {task.name: uniform(task.size) for task in run.stream_tasks},
    )


def built(run, **options):
    tf.keras.utils.set_random_seed(0)
    discriminator = Discriminator(run, **options)
    discriminator(group_of(run, 1))
    return discriminator


@pytest.fixture(scope="module")
def tiny(tiny_config):
    return built(tiny_config())


@pytest.mark.parametrize(
    "name, expected", [("cifar10_multi", 34_062_023), ("raf_multi", 31_424_710)]
)
def test_parameter_counts_of_the_full_networks(name, expected):
    discriminator = built(config.experiment_config(name))
    variables = discriminator.trainable_variables
    assert sum(int(tf.size(v)) for v in variables) == expected


def test_scores_in_order(tiny):
    (scores,) = tiny(group_of(tiny.config))
    names = ("x", "y0", "annotator_1", "valence_arousal", "joint")
    assert tuple(scores.by_stream) == names == tiny.streams
    for score in scores.by_stream.values():
        assert score.shape == (4,) and score.dtype == tf.float32


def test_two_groups_score_as_each_alone(tiny):
    first, second = group_of(tiny.config, seed=1), group_of(tiny.config, seed=2)
    together = tiny((first, second))
    for scores, group in zip(together, (first, second), strict=True):
        (alone,) = tiny(group)
        for name, score in scores.by_stream.items():
            np.testing.assert_allclose(
                score, alone.by_stream[name], rtol=1e-4, atol=1e-5
            )


def test_marginal_scores_see_their_own_stream_and_joint_all(tiny):
    base, other = group_of(tiny.config, seed=1), group_of(tiny.config, seed=2)
    (before,) = tiny(base)
    changed = {
        "x": base._replace(image=other.image),
        "y0": base._replace(y0=other.y0),
        **{
            name: base._replace(labels={**base.labels, name: other.labels[name]})
            for name in base.labels
        },
    }
    for name, group in changed.items():
        (after,) = tiny(group)
        moved = {
            stream
            for stream, score in after.by_stream.items()
            if not np.allclose(score, before.by_stream[stream], atol=1e-7)
        }
        assert moved == {name, "joint"}


def test_joint_reads_the_streams_features(tiny):
    group = group_of(tiny.config)
    features = [
        tiny.embeddings["x"](group.image),
        tiny.embeddings["y0"](group.y0),
        *(tiny.embeddings[name](value) for name, value in group.labels.items()),
    ]
    hidden = tiny.joint(tf.concat(features, 1))
    (scores,) = tiny(group)
    np.testing.assert_allclose(
        scores.by_stream["joint"], tiny.score_joint(hidden)[:, 0], rtol=1e-4, atol=1e-5
    )
    score = tiny.scorers["x"](features[0])[:, 0]
    np.testing.assert_allclose(scores.by_stream["x"], score, rtol=1e-4, atol=1e-5)


ABLATIONS = [
    # options, scores, embedded streams
    ({}, "x y0 annotator_1 valence_arousal joint", "x y0 annotator_1 valence_arousal"),
    (
        {"use_joint": False},
        "x y0 annotator_1 valence_arousal",
        "x y0 annotator_1 valence_arousal",
    ),
    ({"use_marginals": False}, "joint", "x y0 annotator_1 valence_arousal"),
    (
        {"use_image_marginal": False},
        "y0 annotator_1 valence_arousal joint",
        "x y0 annotator_1 valence_arousal",
    ),
    (
        {"use_joint": False, "use_image_marginal": False},
        "y0 annotator_1 valence_arousal",
        "y0 annotator_1 valence_arousal",
    ),
]


@pytest.mark.parametrize("options, scores, embedded", ABLATIONS)
def test_ablations_are_truly_removed(tiny_config, options, scores, embedded):
    discriminator = built(tiny_config(), **options)
    scores, embedded = scores.split(), embedded.split()
    assert discriminator.streams == tuple(scores)
    (found,) = discriminator(group_of(discriminator.config))
    assert list(found.by_stream) == scores
    # one scalar head a score, one embedding a stream, and no variable beside them
    heads = {v.name.split("/")[1] for v in discriminator.trainable_variables}
    expected = {f"score_{name}" for name in scores} | {f"stream_{n}" for n in embedded}
    expected |= {"stream_joint"} if "joint" in scores else set()
    assert heads == expected


def test_nothing_to_score_is_refused(tiny_config):
    with pytest.raises(ValueError, match="needs joint or marginal scores"):
        Discriminator(tiny_config(), use_joint=False, use_marginals=False)


def test_single_label_set(tiny_config):
    discriminator = built(tiny_config(tasks=tiny_config().tasks[:1]))
    assert discriminator.streams == ("x", "y0", "annotator_1", "joint")


def test_tasks_without_a_stream_are_not_seen(tiny_config):
    label_tasks = (
        *tasks.annotator_tasks(1, ("a", "b", "c"), "class"),
        tasks.valence_arousal_task(stream=False),
    )
    discriminator = built(tiny_config(tasks=label_tasks))
    assert discriminator.streams == ("x", "y0", "annotator_1", "joint")
    assert not [v for v in discriminator.variables if "valence" in v.name]


def test_image_stream_in_plain_form(tiny):
    stream = tiny.embeddings["x"]
    image = group_of(tiny.config).image
    hidden = stream.attention(stream.first(image))
    for block in stream.blocks:
        hidden = block(hidden)
    hidden = stream.last(hidden)
    assert hidden.shape == (4, 1, 1, 64)
    expected = np.maximum(hidden, 0).sum((1, 2))
    np.testing.assert_allclose(stream(image), expected, rtol=1e-4, atol=1e-6)


def test_larger_images_are_pooled_first(tiny_config):
    small, large = built(tiny_config()), built(tiny_config(image_size=64))
    for one, two in zip(small.variables, large.variables, strict=True):
        two.assign(one)
    group = group_of(large.config)
    halved = tf.nn.avg_pool2d(group.image, 2, 2, "VALID")
    (scores,), (expected,) = large(group), small(group._replace(image=halved))
    for name, score in scores.by_stream.items():
        np.testing.assert_allclose(
            score, expected.by_stream[name], rtol=1e-4, atol=1e-5
        )


@pytest.mark.parametrize("size", (48, 96, 128, 256))
def test_other_image_sizes(tiny_config, size):
    discriminator = built(tiny_config(image_size=size))
    (scores,) = discriminator(group_of(discriminator.config, 2))
    assert all(np.all(np.isfinite(s)) for s in scores.by_stream.values())


def test_training_moves_every_u_and_evaluation_none(tiny_config):
    discriminator = built(tiny_config())
    us = [v for v in discriminator.non_trainable_variables if v.shape[-1] > 1]
    start = [u.numpy() for u in us]
    group = group_of(discriminator.config)
    discriminator(group)
    assert all(np.array_equal(u, s) for u, s in zip(us, start))
    discriminator((group, group), training=True)
    assert not any(np.array_equal(u, s) for u, s in zip(us, start))
