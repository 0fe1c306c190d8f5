"""What a place is: a path of this machine, or a URI of an object store."""

import os
import re

from kfer.errors import UserError

# Where Vertex AI mounts Cloud Storage in every container.
GCS_MOUNT = "/gcs"
# "simplecache::s3://" is one of fsspec's chains.
_SCHEME = re.compile(r"^[A-Za-z][A-Za-z0-9+.:-]*://")
_PASSWORD = re.compile(r"^[^/]*//[^/@]*:[^/@]*@")


def is_remote(place: str) -> bool:
    """Whether a place is a URI such as gs://bucket/folder and no path."""
    return bool(_SCHEME.match(place)) and not place.startswith("file://")


def mounted(place: str) -> str:
    """A place by its path where it has one here, else as it is.

    Args:
      place: a path, which stays as it is, file:///path, or gs://bucket/folder, which is
        /gcs/bucket/folder where that bucket is mounted.
    """
    if not is_remote(place):
        return place.removeprefix("file://")
    scheme, _, rest = place.partition("://")
    mount = os.path.join(GCS_MOUNT, rest.partition("/")[0])
    if scheme == "gs" and os.path.isdir(mount):
        return os.path.join(GCS_MOUNT, rest)
    return place


def local(place: str, name: str) -> str:
    """The path by which this machine reaches a place, see `mounted`.

    Args:
      place: see `mounted`.
      name: what the place is for, such as a flag; said in errors.

    Raises:
      UserError: an object store that is not mounted here. Opened as a path, it would
        become a folder called 'gs:' that nobody reads.
    """
    path = mounted(place)
    if is_remote(path):
        check_no_password(path, name)
        raise UserError(
            f"{name} is {place}, and this takes folders of this machine alone; mount "
            f"the bucket and name its path ({GCS_MOUNT}/BUCKET for gs://BUCKET)"
        )
    return path


def check_no_password(place: str, name: str) -> None:
    """Raises UserError if a URI holds a password, which records would keep."""
    if _PASSWORD.match(place):
        raise UserError(
            f"{name} has a password in its address; give it as the store's library "
            "takes it, from the environment or its own files"
        )
