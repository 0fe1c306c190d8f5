"""The calls over gRPC, as the example client and other clients send them."""

import threading

import grpc
import numpy as np
import pytest
import tensorflow as tf
from tensorflow_serving.apis import (
    get_model_metadata_pb2,
    get_model_status_pb2,
    model_service_pb2_grpc,
    predict_pb2,
    prediction_service_pb2_grpc,
)

from examples import grpc_client
from kfer.server import grpc_calls, running
from kfer.server.refusal import Refused
from tests import runs
from tests.examples.clients_test import check
from tests.server.live import ask, server


@pytest.fixture(scope="module")
def served():
    """Its address, and its URL for HTTP."""
    port = running.free_port("127.0.0.1", 0)
    with server(
        runs.model(), grpc_port=port, max_pictures=30, max_body_bytes=2**20
    ) as (url, _):
        yield f"127.0.0.1:{port}", url


def predict(address, request):
    with grpc.insecure_channel(address) as channel:
        stub = prediction_service_pb2_grpc.PredictionServiceStub(channel)
        return stub.Predict(request, 30)


def asked(**changes):
    """A request for float images."""
    found = predict_pb2.PredictRequest()
    found.model_spec.name = changes.get("name", "faces")
    found.model_spec.signature_name = changes.get("signature", "predict_images")
    values = changes.get("values", runs.images()[:2] + changes.get("brighter", 0.0))
    tensor = tf.make_tensor_proto(values)
    found.inputs[changes.get("input", "images")].CopyFrom(tensor)
    return found


def test_the_grpc_client_gets_the_networks_answers(served):
    address, url = served
    check(grpc_client.predict(address, "faces", runs.encoded()))
    assert 'kfer_requests_total{call="grpc",status="200"}' in ask(f"{url}/metrics")[1]


def test_a_bad_picture_has_its_status_and_the_others_their_answers(served):
    pictures = [runs.encoded()[0], b"no picture"]
    good, bad = grpc_client.predict(served[0], "faces", pictures)
    wanted = runs.expected()["expression"][0]
    np.testing.assert_allclose(good["expression"], wanted, atol=1e-4)
    assert good["status"] == "OK" and bad["status"].startswith("not an image")
    assert set(bad["expression"]) == {0.0}


def test_float_images_and_the_outputs_that_are_wanted(served):
    request = asked()
    request.model_spec.version.value = 1
    request.output_filter.append("expression")
    found = predict(served[0], request)
    assert (found.model_spec.name, found.model_spec.version.value) == ("faces", 1)
    assert list(found.outputs) == ["expression"]
    values = tf.make_ndarray(found.outputs["expression"])
    np.testing.assert_allclose(values, runs.expected()["expression"][:2], atol=1e-4)
    empty = asked(values=np.zeros((0, *runs.images().shape[1:]), np.float32))
    assert not predict(served[0], empty).outputs


def refusal(address, request):
    with pytest.raises(grpc.RpcError) as error:
        predict(address, request)
    return error.value.code().name, error.value.details()


@pytest.mark.parametrize(
    ("changes", "code", "text"),
    [
        ({"name": "other"}, "NOT_FOUND", "Latest(other); the model here is faces"),
        ({"signature": "generate"}, "INVALID_ARGUMENT", "'generate' not found: "),
        ({"input": "x"}, "INVALID_ARGUMENT", "'images' alone, not ['x']"),
        ({"values": np.ones((2, 3))}, "INVALID_ARGUMENT", "float64 of shape [2, 3]"),
        ({"values": 3.0}, "INVALID_ARGUMENT", "float32 of shape []"),
        ({"brighter": 9.0}, "INVALID_ARGUMENT", "must lie in [-1, 1]"),
    ],
)
def test_what_is_not_answered_is_said(served, changes, code, text):
    found, said = refusal(served[0], asked(**changes))
    assert found == code and text in said


def test_versions_labels_outputs_and_sizes_that_are_not_there(served):
    request = asked()
    request.model_spec.version.value = 7
    assert refusal(served[0], request)[0] == "NOT_FOUND"
    request = asked()
    request.model_spec.version_label = "canary"
    assert "the label 'canary'" in refusal(served[0], request)[1]
    request = asked()
    request.output_filter.append("mood")
    assert "No output 'mood'; known: " in refusal(served[0], request)[1]
    large = asked(values=np.zeros((100, 32, 32, 3), np.float32))
    assert refusal(served[0], large)[0] == "RESOURCE_EXHAUSTED"


def test_one_number_that_stands_for_a_huge_tensor_is_not_unpacked(served):
    request = asked(values=np.zeros((1, 32, 32, 3), np.float32))
    tensor = request.inputs["images"]
    tensor.tensor_content = b""
    tensor.float_val.append(0.0)
    tensor.tensor_shape.dim[0].size = 10**12
    code, said = refusal(served[0], request)
    assert code == "RESOURCE_EXHAUSTED" and "at most 30 a request" in said
    tensor.tensor_shape.dim[0].size = -1
    assert refusal(served[0], request)[0] == "RESOURCE_EXHAUSTED"
    tensor.tensor_shape.dim[0].size = 2
    tensor.tensor_content = b"123"
    assert "is no tensor" in refusal(served[0], request)[1]


def test_signatures_and_states(served):
    with grpc.insecure_channel(served[0]) as channel:
        stub = prediction_service_pb2_grpc.PredictionServiceStub(channel)
        request = get_model_metadata_pb2.GetModelMetadataRequest()
        request.model_spec.name = "faces"
        request.metadata_field.append("signature_def")
        response = stub.GetModelMetadata(request, 30)
        found = get_model_metadata_pb2.SignatureDefMap()
        response.metadata["signature_def"].Unpack(found)
        inputs = found.signature_def["serving_default"].inputs
        assert inputs["image_bytes"].dtype == tf.string.as_datatype_enum
        states = model_service_pb2_grpc.ModelServiceStub(channel)
        request = get_model_status_pb2.GetModelStatusRequest()
        request.model_spec.name = "faces"
        (row,) = states.GetModelStatus(request, 30).model_version_status
        assert (row.version, row.status.error_code) == (1, 0)
        assert row.state == get_model_status_pb2.ModelVersionStatus.AVAILABLE
        request.model_spec.version.value = 2
        with pytest.raises(grpc.RpcError, match="version 1 answers"):
            states.GetModelStatus(request, 30)
        with pytest.raises(grpc.RpcError, match="UNIMPLEMENTED"):
            stub.Classify(grpc_calls.predict_pb2.PredictRequest(), 30)


def test_both_kinds_of_clients_share_the_queue(served):
    address, _ = served
    found: list = []

    def some():
        found.append(grpc_client.predict(address, "faces", runs.encoded()[:3]))

    threads = [threading.Thread(target=some) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8 and all(len(rows) == 3 for rows in found)


def test_no_rows_give_no_outputs():
    assert not grpc_calls.answer([]).outputs
    with pytest.raises(Refused, match="No output 'b'; known: a"):
        grpc_calls.answer([{"a": np.zeros(2)}], ["b"])
