"""Small prepared data sets to audit."""

from kfer.data import dataset as dataset_lib
from kfer.data import record
from kfer.data.record import Record
from tests.data import prepared

CLASSES = ("cat", "dog", "fox")
COLUMNS = {
    name: record.categorical(name, CLASSES)
    for name in ("annotator_1", "annotator_2", "annotator_3", "annotator_4", "first")
} | {name: record.valence_arousal(name) for name in ("value_1", "value_2")}
CLEAN = {
    "class": record.categorical("class", CLASSES),
    "valence_arousal": record.valence_arousal(),
}
# Truth and what annotators 1 to 3 say; 4 says nothing, nobody says fox, and the last
# picture has no label.
ROWS = [
    (0, 0, 0, 0),
    (0, 0, 0, 1),
    (1, 1, 1, 1),
    (1, 1, 0, 1),
    (2, 1, 1, None),
    (0, None, None, None),
]


def records(truth: bool = True) -> list[Record]:
    """A record for each row; value_2 is 0.1 above value_1, which is the truth."""
    found = []
    for index, (clean, *given) in enumerate(ROWS):
        names = [f"annotator_{i}" for i in (1, 2, 3)]
        pairs = zip(names, given, strict=True)
        labels = {name: label for name, label in pairs if label is not None}
        if labels:
            valence = index / 10
            labels |= {"first": given[0], "value_1": (valence, -0.5)}
            labels["value_2"] = (valence + 0.1, -0.4)
        values = {"valence_arousal": (index / 10, -0.5)}
        known = {"class": clean, **values} if truth else {}
        image = prepared.png(index, 8)
        found.append(Record(f"picture, {index}", image, labels, known))
    return found


def write(path, truth: bool = True):
    """The data set at `path`; its test split has no label."""
    test = Record("test-0", prepared.png(99, 8), {}, {"class": 0})
    splits = {"train": records(truth), "test": [test]}
    return dataset_lib.write(str(path), "small", splits, COLUMNS, CLEAN)
