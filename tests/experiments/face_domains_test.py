"""Domains of drawn faces: which faces, how many of each class, whose labels."""

import collections

import numpy as np
import pytest

from kfer.data import rewrite
from kfer.errors import UserError
from kfer.experiments import face_domains

# Square roots of the counts by their sum: 50.2 / 269.8 and so on.
ROOTS = {
    ("raf", "train"): (0.186, 0.256, 0.165, 0.133, 0.062, 0.099, 0.098),
    ("raf", "test"): (0.194, 0.256, 0.163, 0.135, 0.064, 0.094, 0.095),
    ("affectnet", "train"): (0.225, 0.301, 0.131, 0.097, 0.066, 0.051, 0.130),
    ("affectnet", "test"): (1 / 7,) * 7,
}


def test_frequent_classes_of_the_real_sets_are_frequent():
    for domain in (face_domains.RAF, face_domains.AFFECTNET):
        for split in domain.counts:
            drawn = collections.Counter(
                face_domains.example(domain, split, i, seed=0).clean["expression"]
                for i in range(300)
            )
            shares = np.array([drawn[label] / 300 for label in range(7)])
            # Four standard deviations of a share of 0.3: 4 * sqrt(.21 / 300).
            np.testing.assert_allclose(shares, ROOTS[domain.name, split], atol=0.106)


def test_no_face_is_drawn_twice():
    found = [
        face_domains.example(domain, split, index, seed=0).source
        for domain in (face_domains.RAF, face_domains.AFFECTNET)
        for split in ("train", "test")
        for index in range(3)
    ]
    assert len(set(found)) == 12
    assert found[-1] == "drawn_faces:affectnet:seed=0:face=3000002"


def test_a_face_is_a_function_of_its_number():
    first = face_domains.example(face_domains.RAF, "train", 3, seed=0)
    again = face_domains.example(face_domains.RAF, "train", 3, seed=0)
    np.testing.assert_array_equal(first.image, again.image)
    assert first.image.shape == (32, 32, 3) and first.labels == again.labels
    other = face_domains.example(face_domains.RAF, "train", 3, seed=1)
    assert np.any(other.image != first.image)
    # The classes are right and the values a little off.
    assert first.labels["expression"] == first.clean["expression"]
    given, truth = (part["valence_arousal"] for part in (first.labels, first.clean))
    assert 0 < np.abs(np.subtract(given, truth)).max() < 1.0


def test_a_domain_is_drawn_once(tmp_path):
    folder, limit = str(tmp_path / "raf"), {"train": 3, "test": 2}
    made = face_domains.draw(face_domains.RAF, folder, limit, seed=0)
    assert face_domains.draw(face_domains.RAF, folder, limit, seed=0) == made
    ids = [record.image_id for record in rewrite.records(made, "test")]
    assert ids == ["raf-test-00000", "raf-test-00001"]
    assert made.splits["train"].num_records == 3
    with pytest.raises(UserError, match=r"raf holds raf made with .*'seed': 0"):
        face_domains.draw(face_domains.RAF, folder, limit, seed=1)
