"""A compiled pipeline as Vertex's own SDK would send it."""

import pytest
from google.api_core import exceptions
from google.auth.credentials import AnonymousCredentials
from google.cloud.aiplatform import utils
from google.cloud.aiplatform_v1 import PipelineServiceClient
from google.cloud.aiplatform_v1.types import PipelineJob

from kfer.errors import UserError
from pipelines import config as config_lib
from pipelines import kubeflow_runner, vertex

ASKED = ("project", "us-central1", "worker@project.iam.gserviceaccount.com")


@pytest.fixture
def spec(tmp_path, monkeypatch):
    monkeypatch.setattr(
        utils.gcs_utils,
        "create_gcs_bucket_for_pipeline_artifacts_if_it_does_not_exist",
        lambda **_: None,
    )
    return kubeflow_runner.compile_pipeline(
        config_lib.named("synthetic_faces"),
        "gs://bucket/kfer",
        "registry.example/kfer:1",
        str(tmp_path / "faces.json"),
    )


def test_what_is_sent(spec, monkeypatch):
    sent = {}

    def create(client, **given):
        sent.update(given)
        return PipelineJob(name="projects/1/locations/us-central1/pipelineJobs/9")

    monkeypatch.setattr(PipelineServiceClient, "create_pipeline_job", create)
    found = vertex.submit(spec, *ASKED, AnonymousCredentials())
    assert found == "projects/1/locations/us-central1/pipelineJobs/9"
    assert sent["parent"] == "projects/project/locations/us-central1"
    job = sent["pipeline_job"]
    assert job.service_account == ASKED[2]
    root = job.runtime_config.gcs_output_directory
    assert root == "gs://bucket/kfer/artifacts/synthetic_faces"
    tasks = job.pipeline_spec["root"]["dag"]["tasks"]
    assert {"face_example_gen", "model_pusher"} <= set(tasks)


def test_a_refusal_is_one_line(spec, tmp_path, monkeypatch):
    def refuse(client, **given):
        raise exceptions.PermissionDenied("no right to start runs\nand more")

    monkeypatch.setattr(PipelineServiceClient, "create_pipeline_job", refuse)
    with pytest.raises(UserError, match="not take .*: 403 no right to start runs$"):
        vertex.submit(spec, *ASKED, AnonymousCredentials())
    with pytest.raises(UserError, match="There is no specification"):
        vertex.submit(str(tmp_path / "none.json"), *ASKED, AnonymousCredentials())
