"""The order in which files go to a store, so that nobody takes half for whole."""

from collections.abc import Iterable
from typing import NamedTuple


class Order(NamedTuple):
    """What is put first and last.

    Attributes:
      markers: names of files; each says that the folder it lies in is complete.
      first: paths in the folder that come before all others.
      late: endings of files that come after those they tell of, and go before them.
    """

    markers: tuple[str, ...] = ()
    first: tuple[str, ...] = ()
    late: tuple[str, ...] = ()

    def is_marker(self, key: str) -> bool:
        """Whether a file marks its folder as complete."""
        return key.rpartition("/")[2] in self.markers

    def marks_over(self, touched: Iterable[str], there: Iterable[str]) -> list[str]:
        """Markers in a store of whose folders something else changes; outer ones first.

        Args:
          touched: keys of what is put or removed.
          there: keys that the store holds.
        """
        found = []
        for mark in filter(self.is_marker, there):
            folder = mark[: mark.rfind("/") + 1]
            if any(key.startswith(folder) and key != mark for key in touched):
                found.append(mark)
        return sorted(found, key=_depth)

    def groups(self, keys: Iterable[str]) -> tuple[list[list[str]], list[list[str]]]:
        """(groups without markers, groups of a marker each), to put in this order.

        What is in one group may go in any order. The markers of the deepest folders
        come first, the place's own last.
        """
        left = sorted(keys)
        first = [key for key in self.first if key in left]
        marks = [key for key in left if self.is_marker(key) and key not in first]
        late = [k for k in left if self._is_late(k) and k not in {*first, *marks}]
        plain = [key for key in left if key not in {*first, *marks, *late}]
        rest = [*([key] for key in first), plain, late]
        marks.sort(key=_depth, reverse=True)
        return [group for group in rest if group], [[mark] for mark in marks]

    def removed(self, keys: Iterable[str]) -> list[str]:
        """Keys in the order in which to remove them: what tells of others first."""
        return sorted(keys, key=lambda key: (not self._is_late(key), key))

    def _is_late(self, key: str) -> bool:
        return key.endswith(self.late) if self.late else False


def _depth(key: str) -> int:
    return key.count("/")
