"""The files that records name: found inside their root, or set aside."""

import functools
import os
import re
import unicodedata

from kfer.images.decode import (
    MISSING,
    OUTSIDE,
    TOO_LARGE,
    UNREADABLE,
    BadImage,
    Limits,
)

DEFAULT_LIMITS = Limits()

# A drive's or an address's beginning; elsewhere a colon is a letter like others.
_DRIVE = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*:/")


def resolve(root: str, path: str) -> str:
    """The real path of a file named by a record.

    Raises:
      BadImage: it is absolute, or leaves the root by '..' or by a link.
    """
    relative = path.replace("\\", "/")
    elsewhere = os.path.splitdrive(relative)[0] or _DRIVE.match(relative)
    if "\0" in relative or os.path.isabs(relative) or elsewhere:
        raise BadImage(OUTSIDE, f"{path!r} is not relative to the root")
    folder, name = os.path.split(relative)
    base, real = _real_folders(root, folder)
    real = os.path.join(real, name)
    if name in ("", ".", "..") or os.path.islink(real):
        real = os.path.realpath(real)
    if os.path.commonpath((base, real)) != base:
        raise BadImage(OUTSIDE, f"{path!r} stands outside {root}")
    return real


@functools.lru_cache(maxsize=4096)
def _real_folders(root: str, folder: str) -> tuple[str, str]:
    # Resolving links costs a system call for each folder on the way to each picture.
    base = os.path.realpath(root)
    return base, os.path.realpath(os.path.join(base, folder))


def find(root: str, path: str) -> str | None:
    """The real path of a file that is there, or None.

    A name is found whether its accents are letters of their own or marks (Unicode's
    forms NFC and NFD), as systems write them differently.

    Raises:
      BadImage: see resolve.
    """
    forms = (path, *(unicodedata.normalize(form, path) for form in ("NFC", "NFD")))
    for name in dict.fromkeys(forms):
        real = resolve(root, name)
        if os.path.exists(real):
            return real
    return None


def read_file(root: str, path: str, limits: Limits = DEFAULT_LIMITS) -> bytes:
    """The bytes of a picture that a record names.

    Raises:
      BadImage: outside the root, missing, no regular file, unreadable or too large.
    """
    real = find(root, path)
    if real is None:
        raise BadImage(MISSING, f"no file {path!r}")
    if not os.path.isfile(real):
        raise BadImage(UNREADABLE, f"{path!r} is not a file")
    size = os.path.getsize(real)
    if size > limits.max_bytes:
        raise BadImage(TOO_LARGE, f"{size} bytes, at most {limits.max_bytes} are read")
    try:
        with open(real, "rb") as file:
            return file.read()
    except OSError as error:
        raise BadImage(UNREADABLE, f"{path!r}: {error.strerror}") from error
