"""Short digests that change when code or raw data do, for cache keys."""

import hashlib
import os
from collections.abc import Iterable, Iterator

from kfer.errors import UserError

_CODE = (".py", ".html", ".md", ".npy")


def of_code(packages: Iterable[str]) -> str:
    """Sixteen hex digits that change with any source file.

    Args:
      packages: folders of packages.
    """
    digest = hashlib.sha256()
    for package in packages:
        for path in _files(package):
            if path.endswith(_CODE):
                with open(path, "rb") as file:
                    content = hashlib.sha256(file.read()).hexdigest()
                name = os.path.relpath(path, os.path.dirname(package))
                digest.update(f"{name}\0{content}\n".encode())
    return digest.hexdigest()[:16]


def of_raw_data(root: str) -> str:
    """Sixteen hex digits that change with the name, size or time of any file.

    Contents are not read: AffectNet has 450,000 pictures.

    Raises:
      UserError: there is no such folder, or it is empty.
    """
    if not os.path.isdir(root):
        raise UserError(f"There is no folder {root} to read raw data from")
    digest, count = hashlib.sha256(), 0
    for path in _files(root):
        state = os.stat(path)
        name = os.path.relpath(path, root)
        line = f"{name}\0{state.st_size}\0{state.st_mtime_ns}\n"
        digest.update(line.encode("utf-8", "surrogateescape"))
        count += 1
    if not count:
        raise UserError(f"The folder {root} holds no file")
    return digest.hexdigest()[:16]


def _files(root: str) -> Iterator[str]:
    for folder, folders, names in os.walk(root):
        folders[:] = sorted(name for name in folders if name != "__pycache__")
        for name in sorted(names):
            path = os.path.join(folder, name)
            if os.path.isfile(path):
                yield path
