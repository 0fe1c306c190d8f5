import numpy as np
import tensorflow as tf

from kfer.serving import freezing
from tests import runs


def test_a_frozen_function_keeps_its_values():
    weight = tf.Variable([[1.0, 2.0], [3.0, 4.0]])
    bias = tf.Variable([0.5, -0.5])
    two = tf.constant([2.0, 2.0])  # captured, but no variable

    def call(x):
        return {"y": x @ weight + bias, "twice": two * weight[0] + 0 * x}

    spec = tf.TensorSpec([None, 2], tf.float32)
    function = tf.function(call).get_concrete_function(spec)
    frozen = freezing.frozen(function)
    constants = [n for n in frozen.graph.as_graph_def().node if n.op == "Const"]
    sizes = [tf.make_ndarray(n.attr["value"].tensor).size for n in constants]
    assert sizes.count(4) == 1  # weight, though it is read twice
    assert not frozen.variables and not frozen.captured_inputs
    weight.assign(tf.zeros([2, 2]))
    # [1, 1] W + b = [4, 6] + [0.5, -0.5], with the values of then.
    found = frozen(tf.constant([[1.0, 1.0]]))
    np.testing.assert_allclose(found["y"], [[4.5, 5.5]])
    np.testing.assert_allclose(found["twice"], [[2.0, 4.0]])


def test_a_frozen_network_answers_as_the_trained_one():
    method = runs.answering()
    spec = tf.TensorSpec([None, 32, 32, 3], tf.float32)
    function = tf.function(method.answers, autograph=False).get_concrete_function(spec)
    found = freezing.frozen(function)(tf.constant(runs.images()))
    for name, wanted in method.answers(runs.images()).items():
        np.testing.assert_allclose(found[name], wanted, atol=1e-5)
    ops = {node.op for node in freezing.frozen(function).graph.as_graph_def().node}
    assert "Conv2D" in ops and not ops & {"ReadVariableOp", "VarHandleOp"}
