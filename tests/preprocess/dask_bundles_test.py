"""Bundles and groups as Dask's workers make them, without Dask."""

import apache_beam as beam
import pytest
from apache_beam import pvalue
from apache_beam.internal import pickler
from apache_beam.transforms.window import GlobalWindows

from kfer.preprocess import dask_bundles


class Telling(beam.DoFn):
    """Gives x + more, tags the odd ones, and tells at the end how many there were."""

    def start_bundle(self):
        self.seen = 0

    def process(self, x, more, names):
        self.seen += 1
        yield x + more
        if x % 2:
            yield pvalue.TaggedOutput("odd", (x, names))
        yield pvalue.TaggedOutput("unasked", x)

    def finish_bundle(self):
        yield GlobalWindows.windowed_value(-self.seen)


def bundle(elements, tags, names):
    # As a pipeline hands it over: the side input's place is held in the arguments.
    given = beam.Pipeline() | beam.Create(names)
    made = beam.ParDo(Telling(), 100, pvalue.AsList(given))
    views = [(pvalue.AsList, {})]
    task = pickler.dumps((made.fn, made.args, made.kwargs, views, "a label", tags))
    return dask_bundles.run_bundle(task, elements, names)


def test_a_bundle_gives_each_output_and_what_comes_at_its_end():
    found = bundle([1, 2, 3], [None, "odd", "never"], ["a", "b"])
    assert found == {
        None: [101, 102, 103, -3],
        "odd": [(1, ["a", "b"]), (3, ["a", "b"])],
        "never": [],
    }


def test_an_error_says_at_which_step():
    with pytest.raises(TypeError, match="while running 'a label'"):
        bundle(["x"], [None], [])


def test_pairs_meet_by_key_in_their_order():
    pairs = [("a", 1), (("b", 2), 2), ("a", 3), (None, 4)]
    shares = dask_bundles.split_by_key(pairs, 3)
    assert len(shares) == 3 and sum(map(len, shares)) == 4
    other = dask_bundles.split_by_key([("a", 5)], 3)
    groups = [
        pair
        for one, two in zip(shares, other, strict=True)
        for pair in dask_bundles.group_by_key([one, two])
    ]
    assert sorted(groups, key=str) == sorted(
        [("a", [1, 3, 5]), (("b", 2), [2]), (None, [4])], key=str
    )


def test_a_text_has_the_same_place_in_every_process():
    # Python's own hash of a text is another each time.
    pairs = [("key", 1), ("other", 2), (("t", 3), 4)]
    shares = dask_bundles.split_by_key(pairs, 64)
    places = {row[2]: at for at, share in enumerate(shares) for row in share}
    assert places == {1: 48, 2: 8, 4: 29}


def test_parts_keep_their_order():
    assert dask_bundles.concatenate([[1, 2], [], [3]]) == [1, 2, 3]
