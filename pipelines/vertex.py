"""Gives a compiled pipeline to Vertex AI."""

import os
from typing import Any

from kfer.errors import UserError


def submit(
    spec: str,
    project: str,
    region: str,
    service_account: str = "",
    credentials: Any = None,
) -> str:
    """Starts a run of a compiled specification.

    Args:
      spec: what kubeflow_runner.compile_pipeline wrote, with a root in gs://.
      project, region: of Google Cloud.
      service_account: that the run works as; '' is the project's own.
      credentials: of google.auth; None finds the user's.

    Returns:
      The run's name, projects/../pipelineJobs/..

    Raises:
      UserError: no such file, or Vertex or the sign-in refuses it.
    """
    from google.api_core import exceptions as api
    from google.auth import exceptions as auth
    from google.cloud import aiplatform

    if not os.path.isfile(spec):
        raise UserError(f"There is no specification {spec}")
    try:
        aiplatform.init(project=project, location=region, credentials=credentials)
        job = aiplatform.PipelineJob(display_name="kfer", template_path=spec)
        job.submit(service_account=service_account or None)
    except (api.GoogleAPICallError, auth.GoogleAuthError, ValueError) as error:
        said = str(error).strip().splitlines()[0]
        raise UserError(f"Vertex does not take {spec}: {said}") from error
    return job.resource_name
