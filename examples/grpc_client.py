"""Asks TensorFlow Serving over gRPC what it sees in pictures.

  python examples/grpc_client.py --address=localhost:8500 --model=faces a.jpg b.png

Needs tensorflow-serving-api. Prints one JSON line a picture.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from typing import Any

import grpc
import tensorflow as tf
from tensorflow_serving.apis import predict_pb2, prediction_service_pb2_grpc

# Either side refuses messages above 4 MB unless told otherwise.
LARGEST = 64 * 2**20
OPTIONS = [
    ("grpc.max_send_message_length", LARGEST),
    ("grpc.max_receive_message_length", LARGEST),
]


def request(model: str, pictures: Sequence[bytes]) -> predict_pb2.PredictRequest:
    """The request for encoded JPEG or PNG pictures."""
    made = predict_pb2.PredictRequest()
    made.model_spec.name = model
    made.model_spec.signature_name = "serving_default"
    tensor = tf.make_tensor_proto(list(pictures), tf.string, [len(pictures)])
    made.inputs["image_bytes"].CopyFrom(tensor)
    return made


def rows(response: predict_pb2.PredictResponse) -> list[dict[str, Any]]:
    """One answer a picture: output name -> number, text or list."""
    columns = {
        name: _plain(tf.make_ndarray(value).tolist())
        for name, value in sorted(response.outputs.items())
    }
    return [
        dict(zip(columns, row, strict=True))
        for row in zip(*columns.values(), strict=True)
    ]


def _plain(value: Any) -> Any:
    if isinstance(value, list):
        return [_plain(one) for one in value]
    return value.decode() if isinstance(value, bytes) else value


def predict(
    address: str, model: str, pictures: Sequence[bytes], timeout: float = 30.0
) -> list[dict[str, Any]]:
    """Sends one request; one answer a picture.

    Where 'status' is not 'OK' it says why a picture has no answer, and the numbers of
    the row are 0.

    Raises:
      grpc.RpcError: the server refused. Models that give no status fail the whole
        request with INVALID_ARGUMENT where a picture can't be decoded; its details name
        the index.
    """
    with grpc.insecure_channel(address, OPTIONS) as channel:
        service = prediction_service_pb2_grpc.PredictionServiceStub(channel)
        return rows(service.Predict(request(model, pictures), timeout))


def told(answer: dict[str, Any]) -> dict[str, Any]:
    """The answer without its status, or {'error': why there is none}."""
    status = answer.get("status", "OK")
    if status != "OK":
        return {"error": status}
    return {name: value for name, value in answer.items() if name != "status"}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--address", default="localhost:8500")
    parser.add_argument("--model", default="faces")
    parser.add_argument("pictures", nargs="+")
    flags = parser.parse_args()
    data = []
    for path in flags.pictures:
        with open(path, "rb") as file:
            data.append(file.read())
    try:
        answers = predict(flags.address, flags.model, data)
    except grpc.RpcError as error:
        print(f"{error.code().name}: {error.details()}", file=sys.stderr)
        return 1
    for path, answer in zip(flags.pictures, answers, strict=True):
        print(json.dumps({"path": path, **told(answer)}))
    return int(any("error" in told(answer) for answer in answers))


if __name__ == "__main__":
    sys.exit(main())
