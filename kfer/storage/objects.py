"""A place in an object store: what is there, and what goes there and back.

Stores have no folders, no rename and no lock. What they have is objects that are
replaced whole, a listing, and, some of them, a put that refuses to replace. fsspec
speaks to each of them; its errors come as one line.
"""

import contextlib
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import fsspec
import tqdm

from kfer.errors import StoreError, UserError
from kfer.storage import places

# Of fsspec's names of what changes with an object's content, the first one there.
_MARKS = (
    *("ETag", "etag", "generation", "md5Hash", "content_md5"),
    *("LastModified", "last_modified", "mtime", "modificationTime", "modify"),
    "created",
)
# Pages that link to each other can't be listed.
_NOT_LISTED = ("http", "https", "data", "generic", "github", "git", "reference")
_AT_ONCE = 8
_BATCH = 256


class Object(NamedTuple):
    """What a store says of an object."""

    size: int  # bytes
    mark: str  # another one when the content changed


@contextlib.contextmanager
def one_line(place: str) -> Iterator[None]:
    """What the store's library raises in the block becomes one line.

    Each library has its own exceptions, so all are taken; the block holds nothing but
    calls of fsspec.

    Raises:
      StoreError: no such bucket or object, no rights, no credentials, no answer.
    """
    try:
        yield
    except (UserError, FileExistsError):
        raise
    except FileNotFoundError as error:
        raise StoreError(
            f"There is no {place}: the store knows no such bucket or object"
        ) from error
    except Exception as error:
        raise StoreError(
            f"{place} can't be reached: {_reason(error)}; check its address, your "
            "credentials and their rights, then run the same command again"
        ) from error


def _reason(error: Exception) -> str:
    """The library's words, without what a signed address or a login would tell."""
    text = (str(error).strip().splitlines() or [""])[0]
    text = re.sub(r"//[^/@\s]*@", "//", re.sub(r"\?\S*", "", text))
    return f"{type(error).__name__}: {text[:200]}" if text else type(error).__name__


class Place:
    """A place of a store, such as s3://bucket/folder.

    Args:
      place: its URI; that of one object, or of all that begins with it and a slash.

    Raises:
      UserError: no store that fsspec knows, its library isn't installed, or the URI
        names no bucket or holds a password.
    """

    def __init__(self, place: str):
        places.check_no_password(place, "A place")
        self.name = place.rstrip("/")
        scheme, _, rest = self.name.partition("://")
        if not rest or "::" in scheme or scheme in _NOT_LISTED:
            raise UserError(
                f"{place} is no place in an object store, such as s3://BUCKET/FOLDER"
            )
        _check_library(scheme, place)
        with one_line(self.name):
            self._store, self._path = fsspec.core.url_to_fs(self.name)

    def __truediv__(self, key: str) -> "Place":
        return Place(f"{self.name}/{key}")

    def objects(self) -> dict[str, Object]:
        """Key below the place -> object, in order; '' where the place is one itself.

        Raises:
          UserError: the store refuses or tells no mark of an object, or a key leads out
            of a folder or can't be a file's name.
        """
        with one_line(self.name):
            self._store.invalidate_cache()
            found = self._store.find(self._path, detail=True)
        below = {self._key(name): info for name, info in found.items()}
        # Consoles make "folders": empty objects whose name ends in a slash.
        kept = {
            key: info
            for key, info in below.items()
            if info["type"] == "file" and not key.endswith("/")
        }
        for key in kept:
            self._check(key)
        found = {
            key: Object(_size(kept[key]), _mark(kept[key])) for key in sorted(kept)
        }
        if unmarked := [key for key, one in found.items() if not one.mark]:
            # Else an old copy of the same size would be taken for what is there now.
            raise UserError(
                f"{self.name} doesn't tell when {unmarked[0] or 'it'} changed (no ETag "
                "and no time), so a copy can't be told from a newer one; copy it to a "
                "folder by hand and name that"
            )
        return found

    def _key(self, name: str) -> str:
        if name != self._path and not name.startswith(f"{self._path}/"):
            raise UserError(f"{self.name} lists {name[:100]!r}, which isn't below it")
        return name[len(self._path) + 1 :]

    def _check(self, key: str) -> None:
        parts = key.split("/") if key else []
        bad = [part for part in parts if part in ("", ".", "..") or len(part) > 255]
        if bad or "\\" in key or "\0" in key:
            raise UserError(
                f"{self.name} holds an object {key[:100]!r}, which can be no file "
                "below a folder; rename or remove it"
            )

    def get(self, files: Mapping[str, str]) -> None:
        """Copies objects to files, some at a time, in any order.

        Args:
          files: key -> path; folders are made.
        """
        for path in files.values():
            os.makedirs(os.path.dirname(path), exist_ok=True)
        for keys in self._batches(list(files), "fetching"):
            with one_line(self.name):
                self._store.get(
                    [self._at(key) for key in keys],
                    [files[key] for key in keys],
                    **self._pace(),
                )

    def put(self, folder: str, keys: Sequence[str]) -> None:
        """Copies files below a folder to objects, some at a time, in any order."""
        for batch in self._batches(keys, "delivering"):
            with one_line(self.name):
                self._store.put(
                    [os.path.join(folder, *key.split("/")) for key in batch],
                    [self._at(key) for key in batch],
                    **self._pace(),
                )

    def put_file(self, path: str) -> None:
        """Makes the place itself an object with a file's content."""
        with one_line(self.name):
            self._store.put_file(path, self._path)

    def put_new(self, key: str, content: bytes) -> bool:
        """Makes a small object if there is none; whether it was made."""
        try:
            with one_line(self.name):
                self._store.pipe_file(self._at(key), content, mode="create")
        except FileExistsError:
            return False
        return True

    def write(self, key: str, content: bytes) -> None:
        """Makes or replaces a small object."""
        with one_line(self.name):
            self._store.pipe_file(self._at(key), content)

    def read(self, key: str) -> bytes:
        """The content of a small object."""
        with one_line(f"{self.name}/{key}"):
            return self._store.cat_file(self._at(key))

    def remove(self, keys: Sequence[str]) -> None:
        """Removes objects, one after the other."""
        for key in keys:
            with one_line(self.name):
                self._store.rm_file(self._at(key))

    def _at(self, key: str) -> str:
        return f"{self._path}/{key}" if key else self._path

    def _batches(self, keys: Sequence[str], doing: str) -> Iterator[Sequence[str]]:
        starts = range(0, len(keys), _BATCH)
        for start in tqdm.tqdm(starts, f"{doing} {self.name}", disable=None):
            yield keys[start : start + _BATCH]

    def _pace(self) -> dict[str, int]:
        # Each put of s3fs holds up to 100 MB.
        return {"batch_size": _AT_ONCE} if self._store.async_impl else {}


def _check_library(scheme: str, place: str) -> None:
    try:
        fsspec.get_filesystem_class(scheme)
    except ImportError as error:
        raise UserError(f"{place} needs a library: {error}") from error
    except ValueError as error:
        raise UserError(f"{place}: fsspec knows no store {scheme!r}") from error


def _size(info: Mapping[str, Any]) -> int:
    return int(info["size"])


def _mark(info: Mapping[str, Any]) -> str:
    return next((str(info[name]).strip('"') for name in _MARKS if info.get(name)), "")
