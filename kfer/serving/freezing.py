"""A graph whose variables have become constants.

A runtime can fold, fuse and lay out a constant kernel once, but must read a variable at
each request: at full width and 32 px this halves the time of one picture.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np
import tensorflow as tf


def frozen(function: Any) -> Callable[[tf.Tensor], Mapping[str, tf.Tensor]]:
    """The function with the values that its variables have now.

    Args:
      function: concrete function of one tensor that returns tensors by name. It reads
        variables itself, not in functions that it calls.

    Returns:
      A concrete function of the same signature without variables.
    """
    names = sorted(function.structured_outputs)
    tensors = [function.structured_outputs[name].name for name in names]
    graph = _pruned(_constant_graph(function), tensors)
    entry = function.inputs[0]

    def call(inputs: tf.Tensor) -> dict[str, tf.Tensor]:
        found = tf.graph_util.import_graph_def(
            graph, {entry.name: inputs}, tensors, name=""
        )
        return dict(zip(names, found, strict=True))

    spec = tf.TensorSpec(entry.shape, entry.dtype)
    return tf.function(call, autograph=False).get_concrete_function(spec)


def _constant_graph(function: Any) -> Any:
    captured = function.captured_inputs
    placeholders = function.inputs[len(function.inputs) - len(captured) :]
    handles = {
        inside.op.name: outside
        for inside, outside in zip(placeholders, captured, strict=True)
    }
    graph = function.graph.as_graph_def()
    first: dict[str, str] = {}
    for node in graph.node:
        if node.op == "ReadVariableOp":
            handle = node.input[0]
            # A variable that is read again must not be stored again.
            if first.setdefault(handle, node.name) != node.name:
                _make_copy(node, first[handle])
                continue
            dtype = tf.as_dtype(node.attr["dtype"].type)
            value = tf.raw_ops.ReadVariableOp(resource=handles[handle], dtype=dtype)
            _make_constant(node, value.numpy())
        elif node.name in handles and handles[node.name].dtype != tf.resource:
            _make_constant(node, handles[node.name].numpy())
    return graph


def _pruned(graph: Any, tensors: Iterable[str]) -> Any:
    """The graph without the nodes that these tensors don't need."""
    nodes = {node.name: node for node in graph.node}
    needed, waiting = set(), [_node_of(name) for name in tensors]
    while waiting:
        if (name := waiting.pop()) not in needed:
            needed.add(name)
            waiting += [_node_of(entry) for entry in nodes[name].input]
    for node in nodes.values():
        if node.name not in needed:
            graph.node.remove(node)
    return graph


def _node_of(tensor: str) -> str:
    return tensor.removeprefix("^").split(":")[0]


def _make_constant(node: Any, value: np.ndarray) -> None:
    node.op = "Const"
    del node.input[:]
    node.attr.clear()
    node.attr["value"].tensor.CopyFrom(tf.make_tensor_proto(value))
    node.attr["dtype"].type = node.attr["value"].tensor.dtype


def _make_copy(node: Any, source: str) -> None:
    dtype = node.attr["dtype"].type
    node.op = "Identity"
    node.input[:] = [source]
    node.attr.clear()
    node.attr["T"].type = dtype
