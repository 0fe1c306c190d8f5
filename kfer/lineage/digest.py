"""Short digests that change when code or raw data do, for cache keys."""

import ast
import hashlib
import os
from collections.abc import Iterable, Iterator

from kfer.errors import UserError

_CODE = (".py", ".html", ".md", ".npy")


def of_code(packages: Iterable[str]) -> str:
    """Sixteen hex digits that change with what any source file does.

    Comments and docstrings of Python files don't count: a corrected sentence must not
    start a week's training anew.

    Args:
      packages: folders of packages.
    """
    digest = hashlib.sha256()
    for package in packages:
        for path in _files(package):
            if path.endswith(_CODE):
                content = hashlib.sha256(_meaning(path)).hexdigest()
                name = os.path.relpath(path, os.path.dirname(package))
                digest.update(f"{name}\0{content}\n".encode())
    return digest.hexdigest()[:16]


def _meaning(path: str) -> bytes:
    with open(path, "rb") as file:
        content = file.read()
    if not path.endswith(".py"):
        return content
    tree = ast.parse(content)
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(body, list) and body and _is_text(body[0]):
            del body[0]
    return ast.dump(tree).encode()


def _is_text(node: ast.AST) -> bool:
    value = getattr(node, "value", None)
    return isinstance(node, ast.Expr) and isinstance(getattr(value, "value", None), str)


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
