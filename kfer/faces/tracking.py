"""Which face of a frame is which face of the frames before it, by overlap of boxes."""

from collections.abc import Sequence

from kfer.faces.face import Box, Face, overlap

# Of the same face in two frames; a face that moves by half its width has 1/3.
LEAST_OVERLAP = 0.3
# A face may be missed for so many frames in a row and is still the same afterwards.
PATIENCE = 10


class Tracker:
    """Gives the faces of successive frames their ids.

    Each face goes to the track whose last box it overlaps most, the best pair first,
    each track once; a face without one starts a new track. It is intersection over
    union alone, so a face that jumps further than its size gets a new id.

    Args:
      least_overlap: of a face and its track's last box.
      patience: frames in a row without the face after which its track ends.
    """

    def __init__(self, least_overlap: float = LEAST_OVERLAP, patience: int = PATIENCE):
        self._least = least_overlap
        self._patience = patience
        self._next = 0
        self._boxes: dict[int, Box] = {}
        self._missed: dict[int, int] = {}

    @property
    def alive(self) -> frozenset[int]:
        """Ids that a later frame may still show."""
        return frozenset(self._boxes)

    def update(self, faces: Sequence[Face]) -> list[int]:
        """The ids of one frame's faces, in their order; from 0 in order of arrival."""
        ids = self._matched(faces)
        for index, face in enumerate(faces):
            if index not in ids:
                ids[index] = self._next
                self._next += 1
            self._boxes[ids[index]] = face.box
            self._missed[ids[index]] = 0
        for track in set(self._boxes) - set(ids.values()):
            self._missed[track] += 1
            if self._missed[track] > self._patience:
                del self._boxes[track], self._missed[track]
        return [ids[index] for index in range(len(faces))]

    def _matched(self, faces: Sequence[Face]) -> dict[int, int]:
        """Index of a face -> id of the track it goes on with."""
        pairs = sorted(
            (-overlap(face.box, box), track, index)
            for index, face in enumerate(faces)
            for track, box in self._boxes.items()
        )
        ids: dict[int, int] = {}
        for less, track, index in pairs:
            if -less < self._least:
                break
            if index not in ids and track not in ids.values():
                ids[index] = track
        return ids
