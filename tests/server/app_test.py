"""A real server on a free port, asked as its clients ask."""

import base64
import json
import shutil
import threading
from concurrent import futures

import numpy as np
import pytest
from skimage import data

from examples import rest_client
from kfer.faces import framing
from kfer.serving import publish
from tests import runs
from tests.examples.clients_test import check
from tests.server.live import ask, body, png, server, until
from tests.serving import older_model


@pytest.fixture(scope="module")
def url():
    with server(runs.model(), framing=framing.AS_GIVEN) as (found, _):
        yield found


def test_the_rest_client_gets_the_networks_answers(url):
    check(rest_client.predict(url, "faces", runs.encoded()))


def test_columns_and_float_images_give_the_same(url):
    call = f"{url}/v1/models/faces/versions/1:predict"
    encoded = [{"b64": base64.b64encode(p).decode()} for p in runs.encoded()[:3]]
    status, found = ask(call, json.dumps({"inputs": encoded}).encode())
    assert status == 200
    wanted = runs.expected()["expression"][:3]
    np.testing.assert_allclose(found["outputs"]["expression"], wanted, atol=1e-4)
    rows = {"signature_name": "predict_images", "instances": runs.images()[:3].tolist()}
    status, found = ask(call, json.dumps(rows).encode())
    assert status == 200
    answers = [row["expression"] for row in found["predictions"]]
    np.testing.assert_allclose(answers, wanted, atol=1e-4)


def test_no_pictures_get_no_answers(url):
    call = f"{url}/v1/models/faces:predict"
    assert ask(call, b'{"instances": []}') == (200, {"predictions": []})
    assert ask(call, b'{"inputs": []}') == (200, {"outputs": {}})


def test_state_and_metadata(url):
    status, found = ask(f"{url}/v1/models/faces")
    state = {"version": "1", "state": "AVAILABLE"}
    ok = {"error_code": "OK", "error_message": ""}
    assert (status, found) == (200, {"model_version_status": [state | {"status": ok}]})
    assert ask(f"{url}/v1/models/faces/versions/1") == (200, found)
    status, found = ask(f"{url}/v1/models/faces/metadata")
    assert found["model_spec"] == {
        "name": "faces",
        "signature_name": "",
        "version": "1",
    }
    signature = found["metadata"]["signature_def"]["signature_def"]["serving_default"]
    assert signature["inputs"]["image_bytes"]["dtype"] == "DT_STRING"
    assert signature["method_name"] == "tensorflow/serving/predict"
    shape = signature["outputs"]["expression"]["tensor_shape"]["dim"]
    assert [side["size"] for side in shape] == ["-1", "7"]


@pytest.mark.parametrize(
    ("path", "status", "text"),
    [
        ("/v1/models/other", 404, "Latest(other); the model here is faces"),
        ("/v1/models/faces/versions/2", 404, "Specific(faces, 2); version 1 answers"),
        (
            "/v1/models/faces/versions/x",
            404,
            "Malformed request: GET /v1/models/faces/",
        ),
        ("/v1/models/faces:predict", 404, "Malformed request: GET"),
        ("/nowhere", 404, "Malformed request: GET /nowhere"),
    ],
)
def test_what_is_not_there_is_said(url, path, status, text):
    found, answer = ask(url + path)
    assert found == status and text in answer["error"]


def test_a_bad_picture_has_its_status_and_the_others_their_answers(url):
    good = runs.encoded()[0]
    pictures = [good, b"no picture", good[: len(good) // 2]]
    status, answer = ask(f"{url}/v1/models/faces:predict", body(*pictures))
    assert status == 200
    first, second, third = answer["predictions"]
    assert first["status"] == "OK"
    wanted = runs.expected()["expression"][0]
    np.testing.assert_allclose(first["expression"], wanted, atol=1e-4)
    assert second["status"].startswith("not an image")
    assert third["status"].startswith("truncated or corrupt image")
    for row in (second, third):
        assert row["expression_class"] == "" and row["expression_confidence"] == 0
        assert set(row["expression"]) == set(row["valence_arousal"]) == {0.0}
    columns = {"inputs": [{"b64": base64.b64encode(p).decode()} for p in pictures]}
    status, answer = ask(f"{url}/v1/models/faces:predict", json.dumps(columns).encode())
    assert status == 200 and answer["outputs"]["expression"][0] == (first["expression"])
    assert answer["outputs"]["status"][1:] == [second["status"], third["status"]]


def test_a_model_older_than_its_status_names_the_bad_picture(tmp_path):
    good = runs.encoded()[0]
    pictures = [good, b"no picture", good[: len(good) // 2]]
    with server(older_model.write(tmp_path / "old")) as (url, _):
        call = f"{url}/v1/models/faces:predict"
        status, answer = ask(call, body(good))
        wanted = runs.expected()["expression"][0]
        (row,) = answer["predictions"]
        np.testing.assert_allclose(row["expression"], wanted, atol=1e-4)
        assert status == 200 and "status" not in row
        status, answer = ask(call, body(*pictures))
        assert status == 400
        assert "no whole picture at index [1, 2]: 1: not an image" in answer["error"]
        assert "2: truncated or corrupt image" in answer["error"]


def test_a_poisoned_client_fails_nobody_else(url):
    """Truncated JPEGs among good requests, all at once."""
    whole = png(data.astronaut()[:64, :64], "JPEG")
    bad = whole[: len(whole) // 2]
    wanted = runs.expected()["expression"]
    call = f"{url}/v1/models/faces:predict"

    def one(number):
        if number % 2:
            return ask(call, body(bad))
        return ask(call, body(runs.encoded()[number % 20]))

    with futures.ThreadPoolExecutor(16) as pool:
        found = list(pool.map(one, range(120)))
    for number, (status, answer) in enumerate(found):
        assert status == 200, answer
        (row,) = answer["predictions"]
        assert (row["status"] == "OK") == (number % 2 == 0)
        if number % 2 == 0:
            np.testing.assert_allclose(
                row["expression"], wanted[number % 20], atol=1e-4
            )


def test_every_face_of_a_photo(url):
    two = np.concatenate([data.astronaut(), data.astronaut()], axis=1)
    status, found = ask(f"{url}/faces", png(two))
    assert status == 200 and (found["width"], found["height"]) == (1024, 512)
    assert found["model"] == {"name": "faces", "version": 1}
    large = [row for row in found["faces"] if row["box"][2] > 60]
    assert len(large) == 2
    lefts = sorted(row["box"][0] for row in large)
    assert lefts[1] - lefts[0] == pytest.approx(512, abs=6)
    for row in large:
        assert sum(row["expression"]["probabilities"].values()) == pytest.approx(1)
        assert -1 <= row["valence_arousal"]["valence"] <= 1
    status, found = ask(f"{url}/faces", png(data.coffee()))
    assert (status, found["faces"], found["note"]) == (200, [], "no face found")


def form(*files):
    parts = b"".join(
        b"--x\r\nContent-Disposition: form-data; name=picture; filename=a\r\n\r\n"
        + content
        + b"\r\n"
        for content in files
    )
    return parts + b"--x--\r\n", "multipart/form-data; boundary=x"


def test_a_form_is_taken_too(url):
    content, kind = form(png(data.coffee()))
    status, found = ask(f"{url}/faces", content, content_type=kind)
    assert (status, found["note"]) == (200, "no face found")
    content, kind = form(b"a", b"b")
    status, found = ask(f"{url}/faces", content, content_type=kind)
    assert status == 400 and "The form can't be read: Too many files" in found["error"]
    status, found = ask(f"{url}/faces", b"--x--\r\n", content_type=kind)
    assert status == 400 and "The form has 0 files" in found["error"]
    status, found = ask(f"{url}/faces", b"x", content_type="multipart/form-data")
    assert (
        status == 400 and "The form can't be read: Missing boundary" in found["error"]
    )


def test_a_name_that_points_here_from_elsewhere_is_refused(url):
    assert ask(f"{url}/healthz", host="pictures.example") == (
        400,
        "Invalid host header",
    )
    assert ask(f"{url}/healthz", host="localhost:1")[0] == 200


def test_what_prometheus_reads(url):
    ask(f"{url}/faces", b"no picture")
    ask(f"{url}/v1/models/faces:predict", body(runs.encoded()[0]))
    status, text = ask(f"{url}/metrics")
    assert status == 200
    assert 'kfer_requests_total{call="predict",status="200"}' in text
    assert 'kfer_pictures_total{outcome="not an image"}' in text
    assert "kfer_pictures_in_progress 0.0" in text
    assert "kfer_model_version 1.0" in text


def test_a_new_version_under_load_loses_no_request(tmp_path):
    base = str(tmp_path / "faces")
    publish.publish(runs.model(), base)
    wanted = runs.expected()["expression"]
    stop = threading.Event()
    with server(base) as (url, service):

        def client(number):
            found = []
            while not stop.is_set():
                answer = rest_client.predict(url, "faces", [runs.encoded()[number]])
                found.append(answer[0]["expression"])
            return found

        with futures.ThreadPoolExecutor(4) as pool:
            asked = [pool.submit(client, number) for number in range(4)]
            try:
                for version in (2, 3):
                    publish.publish(runs.model(), base)
                    until(lambda v=version: service.versions.current.version == v)
            finally:
                stop.set()
            answers = [job.result() for job in asked]
        for number, rows in enumerate(answers):
            assert len(rows) > 5
            np.testing.assert_allclose(rows, [wanted[number]] * len(rows), atol=1e-4)
        status, found = ask(f"{url}/healthz")
        assert (status, found["version"]) == (200, 3)

        shutil.rmtree(base)
        until(lambda: service.versions.current is None)
        for call in ("healthz", "v1/models/faces/metadata"):
            status, found = ask(f"{url}/{call}")
            assert status == 503 and "Model faces has no version left" in found["error"]
        status, found = ask(f"{url}/v1/models/faces:predict", body(runs.encoded()[0]))
        assert status == 503 and "has no version left" in found["error"]
