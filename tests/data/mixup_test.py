import numpy as np
import pytest
import tensorflow as tf

from kfer import tasks
from kfer.data import mixup
from kfer.losses import categorical, reduction
from kfer.structures import Batch, CrowdLabels

TASKS = (
    *tasks.annotator_tasks(1, ("a", "b", "c"), "class"),
    tasks.valence_arousal_task(),
)
SHARE = np.array([0.75, 0.5, 0.25, 1.0], np.float32)


def batch(class_mask=(1, 1, 1, 1), value_mask=(1, 1, 1, 1), crowd=None):
    return Batch(
        image=tf.ones([4, 2, 2, 3]) * tf.reshape([0.0, 1.0, -1.0, 0.5], [4, 1, 1, 1]),
        labels={
            "annotator_1": tf.constant([0, 2, 1, 1]),
            "valence_arousal": tf.constant([[1.0, 0], [0, 1], [-1, 0], [0, -1]]),
        },
        mask={
            "annotator_1": tf.constant(class_mask, tf.float32),
            "valence_arousal": tf.constant(value_mask, tf.float32),
        },
        noise=None,
        index=tf.range(4),
        crowd=crowd or {},
    )


def test_by_hand():
    found = mixup.mixed(batch(), SHARE, TASKS)
    # 0 and 1 at 3/4 and 1/2, -1 and 0.5 at 1/4 and 1
    pixels = found.image[:, 0, 0, 0].numpy()
    assert pixels == pytest.approx([0.25, 0.5, -0.25 + 0.375, 0.5])
    assert found.labels["annotator_1"].numpy() == pytest.approx(
        np.array([[0.75, 0, 0.25], [0.5, 0, 0.5], [0, 1, 0], [0, 1, 0]])
    )
    assert found.labels["valence_arousal"].numpy() == pytest.approx(
        np.array([[0.75, 0.25], [0.5, 0.5], [-0.25, -0.75], [0, -1]])
    )
    assert all(np.all(mask == 1.0) for mask in found.mask.values())
    assert found.index.numpy().tolist() == [0, 1, 2, 3]


def test_where_one_label_is_missing_the_other_counts_by_its_share():
    found = mixup.mixed(batch(class_mask=(1, 0, 0, 0)), SHARE, TASKS)
    np.testing.assert_allclose(found.mask["annotator_1"], [0.75, 0.5, 0.0, 0.0])
    rows = found.labels["annotator_1"].numpy()
    np.testing.assert_allclose(rows, [[1, 0, 0], [1, 0, 0], [0, 0, 0], [0, 0, 0]])
    found = mixup.mixed(batch(value_mask=(0, 1, 1, 1)), SHARE, TASKS)
    np.testing.assert_allclose(found.mask["valence_arousal"], [0.25, 0.5, 1, 1])
    np.testing.assert_allclose(found.labels["valence_arousal"][0], [0, 1])


def test_the_loss_is_the_mean_of_both_labels_losses():
    """Cross entropy is linear in its label, so mixing labels mixes losses."""
    before = batch(class_mask=(1, 1, 0, 1))
    found = mixup.mixed(before, SHARE, TASKS)
    logits = tf.constant(np.random.default_rng(0).normal(size=(4, 3)), tf.float32)
    loss = reduction.masked_mean(
        categorical.cross_entropy(found.labels["annotator_1"], logits),
        found.mask["annotator_1"],
    )
    labels, mask = before.labels["annotator_1"].numpy(), [1, 1, 0, 1]
    log_p = tf.nn.log_softmax(logits).numpy()
    total = weight = 0.0
    for i, other in enumerate((1, 0, 3, 2)):
        share = float(SHARE[i])
        for row, part in ((i, share), (other, 1 - share)):
            total -= part * mask[row] * log_p[i, labels[row]]
            weight += part * mask[row]
    assert float(loss) == pytest.approx(total / weight, rel=1e-5)


def test_soft_labels_are_mixed_as_they_are():
    soft = tf.constant([[0.5, 0.5, 0.0], [0.0, 0.0, 1.0]] * 2)
    before = batch()
    before = before._replace(labels={**before.labels, "annotator_1": soft})
    found = mixup.mixed(before, SHARE, TASKS).labels["annotator_1"]
    np.testing.assert_allclose(found[0], [0.375, 0.375, 0.25])


def test_a_crowd_s_labels_are_kept_at_their_shares():
    said = CrowdLabels(
        annotator=tf.constant([[5, -1], [6, 7], [-1, -1], [8, -1]], tf.int64),
        label=tf.constant([[1, 0], [2, 0], [0, 0], [1, 0]], tf.int64),
        mask=tf.constant([[1.0, 0], [1, 1], [0, 0], [1, 0]]),
    )
    found = mixup.mixed(batch(crowd={"annotator_1": said}), SHARE, TASKS)
    found = found.crowd["annotator_1"]
    assert found.annotator.numpy()[0].tolist() == [5, -1, 6, 7]
    assert found.label.numpy()[0].tolist() == [1, 0, 2, 0]
    assert found.mask.numpy()[0].tolist() == [0.75, 0, 0.25, 0.25]
    assert found.mask.numpy()[2].tolist() == [0, 0, 0.75, 0]
