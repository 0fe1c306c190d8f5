"""The example clients against stand-ins that take the exact requests of a server."""

import http.server
import json
import os
import subprocess
import sys
import threading
from pathlib import Path

import grpc
import numpy as np
import pytest
import tensorflow as tf
from tensorflow_serving.apis import predict_pb2, prediction_service_pb2_grpc

from examples import grpc_client, rest_client
from kfer import tasks
from kfer.serving import warmup
from tests import runs
from tests.examples import doubles
from tests.serving import older_model

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
CLASSES = list(tasks.EXPRESSIONS[:7])


@pytest.fixture(scope="module")
def signatures():
    return tf.saved_model.load(runs.model()).signatures


@pytest.fixture(scope="module")
def address(signatures):
    with doubles.grpc_server("faces", signatures) as found:
        yield found


@pytest.fixture(scope="module")
def older(tmp_path_factory):
    """(address, URL) of a model whose rows have no status."""
    path = older_model.write(tmp_path_factory.mktemp("older"))
    signatures = tf.saved_model.load(path).signatures
    with (
        doubles.grpc_server("faces", signatures) as address,
        doubles.rest_server("faces", signatures) as url,
    ):
        yield address, url


@pytest.fixture(scope="module")
def url(signatures):
    with doubles.rest_server("faces", signatures) as found:
        yield found


def check(answers):
    """20 answers are those of the trained network."""
    wanted = runs.expected()
    for name in ("expression", "valence_arousal"):
        found = [answer[name] for answer in answers]
        np.testing.assert_allclose(found, wanted[name], atol=1e-4)
    best = wanted["expression"].argmax(1)
    assert [answer["expression_class"] for answer in answers] == [
        CLASSES[index] for index in best
    ]
    np.testing.assert_allclose(
        [answer["expression_confidence"] for answer in answers],
        wanted["expression"].max(1),
        atol=1e-4,
    )
    assert all(answer["expression_classes"] == CLASSES for answer in answers)
    assert all(answer["status"] == "OK" for answer in answers)


def check_older(answers):
    found = [answer["expression"] for answer in answers]
    np.testing.assert_allclose(found, runs.expected()["expression"], atol=1e-4)
    assert not any("status" in answer for answer in answers)


def test_grpc(address):
    check(grpc_client.predict(address, "faces", runs.encoded()))


def test_rest(url):
    check(rest_client.predict(url, "faces", runs.encoded()))


def test_the_requests_are_those_of_the_documentation():
    made = grpc_client.request("faces", [b"\xff\xd8a", b"\x89PNG\0"])
    # Through the wire and back.
    made = predict_pb2.PredictRequest.FromString(made.SerializeToString())
    assert made.model_spec.name == "faces"
    assert made.model_spec.signature_name == "serving_default"
    assert list(made.inputs) == ["image_bytes"]
    assert made.inputs["image_bytes"].dtype == tf.string.as_datatype_enum
    assert list(made.inputs["image_bytes"].string_val) == [b"\xff\xd8a", b"\x89PNG\0"]
    assert rest_client.body([b"\xff\xd8a"]) == {
        "signature_name": "serving_default",
        "instances": [{"image_bytes": {"b64": "/9hh"}}],
    }


@pytest.mark.parametrize("count", [0, 2])
def test_a_bad_picture_has_its_status_and_no_neighbour_fails(address, url, count):
    pictures = [b"no picture", *runs.encoded()[:count]]
    for found in (
        grpc_client.predict(address, "faces", pictures),
        rest_client.predict(url, "faces", pictures),
    ):
        bad, *good = found
        assert bad["status"] == "no whole JPEG or PNG picture"
        assert bad["expression_class"] == "" and set(bad["expression"]) == {0.0}
        for client in (grpc_client, rest_client):
            assert client.told(bad) == {"error": "no whole JPEG or PNG picture"}
            assert [set(row) - set(client.told(row)) for row in good] == (
                [{"status"}] * count
            )
        answers = [row["expression"] for row in good]
        wanted = runs.expected()["expression"][:count]
        np.testing.assert_allclose(np.reshape(answers, (-1, 7)), wanted, atol=1e-4)


def test_an_older_model_fails_the_request_and_names_the_picture(older):
    address, url = older
    check_older(grpc_client.predict(address, "faces", runs.encoded()))
    check_older(rest_client.predict(url, "faces", runs.encoded()))
    pictures = [runs.encoded()[0], b"no picture", runs.encoded()[1]]
    with pytest.raises(grpc.RpcError) as caught:
        grpc_client.predict(address, "faces", pictures)
    assert caught.value.code() == grpc.StatusCode.INVALID_ARGUMENT
    assert "no whole JPEG or PNG picture at index] [1]" in caught.value.details()
    with pytest.raises(RuntimeError, match=r"(?s)answered 400: .*at index\] \[1\]"):
        rest_client.predict(url, "faces", pictures)


def test_the_warm_up_requests_go_through_the_service(address):
    path = os.path.join(runs.model(), warmup.FOLDER, warmup.FILE)
    from tensorflow_serving.apis import prediction_log_pb2

    with grpc.insecure_channel(address, grpc_client.OPTIONS) as channel:
        stub = prediction_service_pb2_grpc.PredictionServiceStub(channel)
        for record in tf.data.TFRecordDataset(path).as_numpy_iterator():
            log = prediction_log_pb2.PredictionLog.FromString(record)
            request = log.predict_log.request
            request.model_spec.name = "faces"
            rows = grpc_client.rows(stub.Predict(request, 30))
            assert abs(sum(rows[0]["expression"]) - 1) < 1e-4


def test_an_unknown_model_and_an_absent_server_are_said(address, url):
    with pytest.raises(grpc.RpcError, match="Servable not found"):
        grpc_client.predict(address, "other", runs.encoded()[:1])
    with pytest.raises(RuntimeError, match="answered 404: Malformed request"):
        rest_client.predict(url, "other", runs.encoded()[:1])
    with pytest.raises(RuntimeError, match="can't be reached"):
        rest_client.predict("http://localhost:1", "faces", [b""])


class _Proxy(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_error(502)

    def log_message(self, *args):
        del args


def test_a_proxy_that_answers_in_html_is_one_line():
    with http.server.HTTPServer(("localhost", 0), _Proxy) as server:
        thread = threading.Thread(target=server.handle_request)
        thread.start()
        with pytest.raises(RuntimeError, match="answered 502: Bad Gateway$"):
            rest_client.predict(
                f"http://localhost:{server.server_port}", "faces", [b""]
            )
        thread.join()


def run(client, *arguments):
    command = [sys.executable, str(EXAMPLES / client), *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout, done.stderr


def test_the_rest_command_prints_a_line_a_picture(url, tmp_path):
    good, bad = tmp_path / "a.png", tmp_path / "b.png"
    good.write_bytes(runs.encoded()[0])
    bad.write_bytes(b"no picture")
    status, out, err = run("rest_client.py", f"--url={url}", good, good)
    assert status == 0, err
    lines = [json.loads(line) for line in out.splitlines()]
    assert [line["path"] for line in lines] == [str(good)] * 2
    wanted = runs.expected()["expression"][0]
    np.testing.assert_allclose(lines[1]["expression"], wanted, atol=1e-4)
    status, out, err = run("rest_client.py", f"--url={url}", good, bad)
    first, second = (json.loads(line) for line in out.splitlines())
    assert status == 1 and err == "" and first["expression_class"] in CLASSES
    assert second == {"path": str(bad), "error": "no whole JPEG or PNG picture"}


@pytest.mark.slow
def test_the_grpc_command_prints_a_line_a_picture(address, tmp_path):
    good, bad = tmp_path / "a.png", tmp_path / "b.png"
    good.write_bytes(runs.encoded()[0])
    bad.write_bytes(b"no picture")
    status, out, err = run("grpc_client.py", f"--address={address}", good)
    assert status == 0, err
    wanted = runs.expected()["expression"][0]
    np.testing.assert_allclose(json.loads(out)["expression"], wanted, atol=1e-4)
    status, out, err = run("grpc_client.py", f"--address={address}", good, bad)
    assert status == 1 and json.loads(out.splitlines()[1])["error"], err
