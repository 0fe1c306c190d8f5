"""TensorFlow Serving's gRPC calls: answers, signatures and states of the model.

Predict and GetModelMetadata of tensorflow_serving/apis/prediction_service.proto, and
GetModelStatus of model_service.proto; the others answer UNIMPLEMENTED.
"""

import asyncio
import contextlib
import functools
import time
from collections.abc import AsyncIterator, Awaitable, Sequence
from typing import Any

import grpc
import numpy as np
from absl import logging
from google.protobuf import json_format
from tensorflow_serving.apis import (
    get_model_metadata_pb2,
    get_model_status_pb2,
    model_pb2,
    model_service_pb2_grpc,
    predict_pb2,
    prediction_service_pb2_grpc,
)

from kfer.server import rest
from kfer.server.loaded import LoadedModel
from kfer.server.refusal import Refused
from kfer.server.service import Service

_CODES = {
    400: grpc.StatusCode.INVALID_ARGUMENT,
    404: grpc.StatusCode.NOT_FOUND,
    413: grpc.StatusCode.RESOURCE_EXHAUSTED,
    503: grpc.StatusCode.UNAVAILABLE,
    504: grpc.StatusCode.DEADLINE_EXCEEDED,
}


@contextlib.asynccontextmanager
async def listening(service: Service, host: str, port: int) -> AsyncIterator[None]:
    """Answers over gRPC while the block runs, then lets requests end.

    Args:
      service: what answers, with its limits.
      host: name or address of this machine.
      port: a free one, see kfer.server.running.free_port.

    Raises:
      RuntimeError: something else has taken the port.
    """
    options = service.options
    server = grpc.aio.server(
        options=[
            ("grpc.max_receive_message_length", options.max_body_bytes),
            ("grpc.max_send_message_length", -1),
            # Else two servers could listen at one port and share its requests.
            ("grpc.so_reuseport", 0),
        ],
        maximum_concurrent_rpcs=options.max_connections,
    )
    calls = _Calls(service)
    prediction_service_pb2_grpc.add_PredictionServiceServicer_to_server(calls, server)
    model_service_pb2_grpc.add_ModelServiceServicer_to_server(_States(calls), server)
    server.add_insecure_port(f"[{host}]:{port}" if ":" in host else f"{host}:{port}")
    await server.start()
    logging.info("Listening at grpc://%s:%d", host, port)
    try:
        yield
    finally:
        await server.stop(options.stop_seconds)


class _Calls(prediction_service_pb2_grpc.PredictionServiceServicer):
    def __init__(self, service: Service):
        self.service = service

    async def Predict(self, request: Any, context: Any) -> Any:
        return await self.ended(context, self._predict(request))

    async def GetModelMetadata(self, request: Any, context: Any) -> Any:
        return await self.ended(context, self._metadata(request))

    async def ended(self, context: Any, call: Awaitable[Any]) -> Any:
        """A call's response, in time; what is refused becomes a status of gRPC's."""
        start = time.perf_counter()
        seconds, metrics = self.service.options.request_seconds, self.service.metrics
        status = 500
        try:
            async with asyncio.timeout(seconds):
                found = await call
            status = 200
            return found
        except Refused as error:
            status, text = error.status, str(error)
        except TimeoutError:
            status, text = 504, f"No answer within {seconds:g} seconds"
        finally:
            metrics.requests.labels("grpc", status).inc()
            metrics.seconds.labels("grpc").observe(time.perf_counter() - start)
        await context.abort(_CODES.get(status, grpc.StatusCode.INTERNAL), text)

    async def _predict(self, request: Any) -> Any:
        service = self.service
        model = self._model(request.model_spec)
        signature = request.model_spec.signature_name or "serving_default"
        parsed = functools.partial(
            parse, request, signature, model.size, service.options.max_pictures
        )
        with service.admission.held(request.ByteSize()):
            _, rows = await service.answers(model, parsed)
            response = answer(rows, request.output_filter)
        self._sign(response.model_spec, model, signature)
        return response

    async def _metadata(self, request: Any) -> Any:
        if list(request.metadata_field) != ["signature_def"]:
            raise Refused(400, "metadata_field must be 'signature_def' alone")
        model = self._model(request.model_spec)
        signatures = json_format.ParseDict(
            model.signatures, get_model_metadata_pb2.SignatureDefMap()
        )
        response = get_model_metadata_pb2.GetModelMetadataResponse()
        response.metadata["signature_def"].Pack(signatures)
        self._sign(response.model_spec, model, "")
        return response

    def check_name(self, spec: model_pb2.ModelSpec) -> None:
        """Raises Refused if another model is asked for, or a version by a label."""
        if spec.name != (known := self.service.versions.name):
            raise Refused(
                404,
                f"Servable not found for request: Latest({spec.name}); the model here "
                f"is {known}",
            )
        if spec.version_label:
            raise Refused(404, f"No version has the label {spec.version_label!r} here")

    def _model(self, spec: model_pb2.ModelSpec) -> LoadedModel:
        self.check_name(spec)
        asked = spec.version.value if spec.HasField("version") else None
        return self.service.model(asked)

    def _sign(self, spec: Any, model: LoadedModel, signature: str) -> None:
        spec.name, spec.signature_name = self.service.versions.name, signature
        spec.version.value = model.version


class _States(model_service_pb2_grpc.ModelServiceServicer):
    def __init__(self, calls: _Calls):
        self._calls = calls

    async def GetModelStatus(self, request: Any, context: Any) -> Any:
        return await self._calls.ended(context, self._status(request.model_spec))

    async def _status(self, spec: model_pb2.ModelSpec) -> Any:
        self._calls.check_name(spec)
        rows = self._calls.service.versions.states()
        if spec.HasField("version"):
            rows = [row for row in rows if int(row["version"]) == spec.version.value]
            if not rows:
                self._calls.service.model(spec.version.value)
        return json_format.ParseDict(
            {"model_version_status": rows},
            get_model_status_pb2.GetModelStatusResponse(),
        )


def parse(
    request: predict_pb2.PredictRequest, signature: str, size: int, most: int
) -> rest.Request:
    """The pictures of a request, each as bytes or float32 [S, S, 3].

    Args:
      request: from a client.
      signature: that it names.
      size: side of what the network sees.
      most: pictures that one request may have.

    Raises:
      Refused: 400, it has another input, type or shape; 413, too many pictures.
    """
    import tensorflow as tf

    if (name := rest.INPUTS.get(signature)) is None:
        known = ", ".join(rest.INPUTS)
        raise Refused(400, f"Serving signature name {signature!r} not found: {known}")
    if set(request.inputs) != {name}:
        found = sorted(request.inputs)
        raise Refused(400, f"The inputs must be {name!r} alone, not {found}")
    tensor = request.inputs[name]
    encoded = signature == "serving_default"
    wanted = tf.string if encoded else tf.float32
    inner = [] if encoded else [size, size, 3]
    shape = [side.size for side in tensor.tensor_shape.dim]
    # Before it is unpacked: one number may stand for a tensor of any size.
    if tensor.dtype != wanted.as_datatype_enum or shape[1:] != inner or not shape:
        raise Refused(
            400,
            f"{name} must be {wanted.name} of shape {[-1, *inner]}, not "
            f"{tf.dtypes.as_dtype(tensor.dtype or 1).name} of shape {shape}",
        )
    if not 0 <= shape[0] <= most:
        raise Refused(413, f"{shape[0]} pictures, at most {most} a request")
    try:
        return rest.Request(signature, list(tf.make_ndarray(tensor)), columns=True)
    except (ValueError, TypeError) as error:
        raise Refused(400, f"{name} is no tensor: {error}") from error


def answer(
    rows: Sequence[dict[str, Any]], wanted: Sequence[str] = ()
) -> predict_pb2.PredictResponse:
    """The response with an output's values of all rows in one tensor.

    Args:
      rows: output name -> value, one a picture; without any there is no output.
      wanted: names of outputs, all of them if empty.

    Raises:
      Refused: 400, there is no such output.
    """
    import tensorflow as tf

    names = list(rows[0]) if rows else []
    if unknown := [name for name in wanted if rows and name not in names]:
        raise Refused(400, f"No output {unknown[0]!r}; known: {', '.join(names)}")
    response = predict_pb2.PredictResponse()
    for name in names:
        if not wanted or name in wanted:
            column = _column([row[name] for row in rows])
            response.outputs[name].CopyFrom(tf.make_tensor_proto(column))
    return response


def _column(values: Sequence[Any]) -> np.ndarray:
    plain = [v.encode() if isinstance(v, str) else v for v in values]
    if isinstance(plain[0], bytes):
        return np.array(plain, object)
    return np.stack(plain)
