"""A module of export_step.py, compiled for the device that is there (needs jaxlib)."""

import io
import time
from collections.abc import Iterator, Sequence
from typing import Any

import jax
import numpy as np
from jax.extend import backend
from jax.interpreters import mlir
from jaxlib import xla_client
from jaxlib.mlir import ir

PRECISIONS = ("fp32", "tf32", "bf16")
_PRODUCTS = ("stablehlo.dot", "stablehlo.dot_general", "stablehlo.convolution")


class Module:
    """One compiled module.

    Args:
      path: the .hlo file.
      row: its entry in map.json's modules.
      variables: map.json's variables.
      precision: of matrix products and convolutions: 'fp32'; 'tf32', which lets a GPU
        round their inputs to 10 bits of mantissa (a CPU does not); 'bf16' rounds them
        to 7 bits on every device. Sums stay float32.
    """

    def __init__(
        self,
        path: str,
        row: dict[str, Any],
        variables: list[dict[str, Any]],
        precision: str = "fp32",
    ):
        self.row = row
        started = time.perf_counter()
        with open(path, "rb") as file:
            code = xla_client._xla.mlir.hlo_to_stablehlo(file.read())
        code = _edited(code, row, variables, precision)
        client = backend.get_backend()
        devices = xla_client.DeviceList(tuple(client.local_devices()[:1]))
        self.compiled = client.compile_and_load(
            code, devices, xla_client.CompileOptions()
        )
        self.compile_seconds = time.perf_counter() - started

    def __call__(
        self, batch: dict[str, Any], values: list[jax.Array]
    ) -> dict[str, jax.Array]:
        """Runs the module; the variables that it updates are replaced in `values`.

        Args:
          batch: name -> array, for each of the row's batch.
          values: of all variables; those that are updated are used up.
        """
        inputs = [jax.device_put(batch[part["name"]]) for part in self.row["batch"]]
        inputs += [values[index] for index in self.row["variables"]]
        outputs = self.compiled.execute(inputs)
        count = len(self.row["results"])
        for index, output in zip(self.row["updated"], outputs[count:], strict=True):
            values[index] = output
        return dict(zip(self.row["results"], outputs[:count], strict=True))


def _edited(
    code: bytes,
    row: dict[str, Any],
    variables: list[dict[str, Any]],
    precision: str,
) -> bytes:
    """The StableHLO with its variables updated in place and its products' precision."""
    with mlir.make_ir_context(), ir.Location.unknown():
        module = ir.Module.parse(code)
        (main,) = (o for o in module.body.operations if o.name.value == "main")
        _check(main, row, variables)
        main.arg_attrs = ir.ArrayAttr.get(list(_aliases(row)))
        for operation in list(_operations(module.operation)):
            if operation.name in _PRODUCTS and _is_float32(operation):
                _set_precision(operation, precision)
        module.operation.verify()
        written = io.BytesIO()
        module.operation.write_bytecode(file=written)
    return written.getvalue()


def _check(main: Any, row: dict[str, Any], variables: list[dict[str, Any]]) -> None:
    """Raises ValueError if the map is another module's."""
    expected = [*row["batch"], *(variables[index] for index in row["variables"])]
    found = [tuple(ir.RankedTensorType(t).shape) for t in main.type.inputs]
    if found != [tuple(part["shape"]) for part in expected]:
        raise ValueError("map.json doesn't fit the module's inputs")
    outputs = [variables[index]["shape"] for index in row["updated"]]
    found = [tuple(ir.RankedTensorType(t).shape) for t in main.type.results]
    if found[len(row["results"]) :] != [tuple(shape) for shape in outputs]:
        raise ValueError("map.json doesn't fit the module's outputs")


def _aliases(row: dict[str, Any]) -> Iterator[Any]:
    """For each input the output that takes its place in memory, if one does."""
    place = {v: len(row["results"]) + i for i, v in enumerate(row["updated"])}
    integer = ir.IntegerType.get_signless(32)
    for index in [*[None] * len(row["batch"]), *row["variables"]]:
        output = place.get(index)
        yield ir.DictAttr.get(
            {}
            if output is None
            else {"tf.aliasing_output": ir.IntegerAttr.get(integer, output)}
        )


def _operations(operation: Any) -> Iterator[Any]:
    for region in operation.regions:
        for block in region.blocks:
            for inner in block.operations:
                yield inner.operation
                yield from _operations(inner.operation)


def _is_float32(operation: Any) -> bool:
    return isinstance(
        ir.RankedTensorType(operation.operands[0].type).element_type, ir.F32Type
    )


def _set_precision(operation: Any, precision: str) -> None:
    if precision == "bf16":
        for place in (0, 1):
            operand = operation.operands[place]
            shape = ir.RankedTensorType(operand.type).shape
            rounded = ir.Operation.create(
                "stablehlo.convert",
                results=[ir.RankedTensorType.get(shape, ir.BF16Type.get())],
                operands=[operand],
                ip=ir.InsertionPoint(operation),
            )
            operation.operands[place] = rounded.result
    name = "HIGHEST" if precision == "fp32" else "DEFAULT"
    one = f"#stablehlo<precision {name}>"
    operation.attributes["precision_config"] = ir.Attribute.parse(f"[{one}, {one}]")


def to_device(values: Sequence[np.ndarray]) -> list[jax.Array]:
    """The variables, on the device."""
    return [jax.device_put(value) for value in values]
