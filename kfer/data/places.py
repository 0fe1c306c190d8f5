"""Which path of this machine a place has: object stores are reached through a mount."""

import os
import re

from kfer.errors import UserError

# Where Vertex AI mounts Cloud Storage in every container.
GCS_MOUNT = "/gcs"
_SCHEME = re.compile(r"^[A-Za-z][A-Za-z0-9+.-]*://")


def is_remote(place: str) -> bool:
    """Whether a place is a URI such as gs://bucket/folder and no path."""
    return bool(_SCHEME.match(place)) and not place.startswith("file://")


def local(place: str, name: str) -> str:
    """The path by which this machine reaches a place.

    Args:
      place: a path, which stays as it is, file:///path, or gs://bucket/folder, which is
        /gcs/bucket/folder where that bucket is mounted.
      name: what the place is for, such as a flag; said in errors.

    Raises:
      UserError: an object store that is not mounted here. Opened as a path, it would
        become a folder called 'gs:' that nobody reads.
    """
    if not is_remote(place):
        return place.removeprefix("file://")
    scheme, _, rest = place.partition("://")
    mount = os.path.join(GCS_MOUNT, rest.partition("/")[0])
    if scheme == "gs" and os.path.isdir(mount):
        return os.path.join(GCS_MOUNT, rest)
    raise UserError(
        f"{name} is {place}, and kfer reads and writes folders of this machine alone; "
        f"mount the bucket and name its path ({GCS_MOUNT}/BUCKET for gs://BUCKET)"
    )
