"""Stand-ins for TensorFlow Serving: they speak its protocols and run a SavedModel.

They prove the clients and their requests, not the server.
"""

import base64
import contextlib
import http.server
import json
import threading
from collections.abc import Iterator
from concurrent import futures
from typing import Any

import grpc
import tensorflow as tf
from tensorflow_serving.apis import predict_pb2, prediction_service_pb2_grpc


class PredictionService(prediction_service_pb2_grpc.PredictionServiceServicer):
    """Predict of one model, with the errors that a server gives."""

    def __init__(self, name: str, signatures: Any):
        self.name = name
        self.signatures = signatures

    def Predict(self, request, context):
        if request.model_spec.name != self.name:
            context.abort(grpc.StatusCode.NOT_FOUND, "Servable not found for request")
        function = self.signatures[request.model_spec.signature_name]
        inputs = {k: tf.constant(tf.make_ndarray(v)) for k, v in request.inputs.items()}
        try:
            found = function(**inputs)
        except tf.errors.InvalidArgumentError as error:
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, error.message)
        response = predict_pb2.PredictResponse(model_spec=request.model_spec)
        for name, value in found.items():
            response.outputs[name].CopyFrom(tf.make_tensor_proto(value.numpy()))
        return response


@contextlib.contextmanager
def grpc_server(name: str, signatures: Any) -> Iterator[str]:
    """A server of PredictionService; its address."""
    server = grpc.server(futures.ThreadPoolExecutor(2))
    prediction_service_pb2_grpc.add_PredictionServiceServicer_to_server(
        PredictionService(name, signatures), server
    )
    port = server.add_insecure_port("localhost:0")
    server.start()
    try:
        yield f"localhost:{port}"
    finally:
        server.stop(None).wait()


class _Handler(http.server.BaseHTTPRequestHandler):
    name: str
    signatures: Any

    def do_POST(self):
        request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.path != f"/v1/models/{self.name}:predict":
            return self._send(404, {"error": f"Malformed request: POST {self.path}"})
        rows = [base64.b64decode(r["image_bytes"]["b64"]) for r in request["instances"]]
        function = self.signatures[request["signature_name"]]
        try:
            found = function(image_bytes=tf.constant(rows))
        except tf.errors.InvalidArgumentError as error:
            return self._send(400, {"error": error.message})
        columns = {name: _text(value.numpy().tolist()) for name, value in found.items()}
        predictions = [
            {name: column[row] for name, column in columns.items()}
            for row in range(len(rows))
        ]
        return self._send(200, {"predictions": predictions})

    def _send(self, status: int, answer: dict[str, Any]) -> None:
        data = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *args: Any) -> None:
        del args


def _text(value: Any) -> Any:
    if isinstance(value, list):
        return [_text(one) for one in value]
    return value.decode() if isinstance(value, bytes) else value


@contextlib.contextmanager
def rest_server(name: str, signatures: Any) -> Iterator[str]:
    """A server of POST /v1/models/NAME:predict; its URL."""
    fields = {"name": name, "signatures": signatures}
    handler = type("Handler", (_Handler,), fields)
    server = http.server.ThreadingHTTPServer(("localhost", 0), handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://localhost:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
