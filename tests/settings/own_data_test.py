import pytest

from kfer.errors import UserError
from kfer.settings import own_data
from kfer.tasks import CATEGORICAL, LabelTask

MOOD = LabelTask("mood", CATEGORICAL, ("bored", "engaged"))


def test_size_and_batch_follow_from_the_data():
    config = own_data.experiment((MOOD,), "mine", 100, 20, faces=False)
    assert (config.name, config.dataset, config.tasks) == ("own_data", "mine", (MOOD,))
    assert (config.image_size, config.batch_size) == (96, 4)
    assert config.augmentation == "crop_flip"
    set_ = own_data.experiment(
        (MOOD,), "mine", 100, 20, True, image_size=32, method="gce", shuffle=False
    )
    assert (set_.image_size, set_.augmentation, set_.method) == (32, "face", "gce")
    assert set_.recipe.shuffle is False


def test_image_size_for():
    sizes = [own_data.image_size_for(stored) for stored in (0, 32, 63, 64, 1024)]
    assert sizes == [64, 32, 32, 64, 256]
    with pytest.raises(UserError, match="stored at 31 px, the networks take 32 px"):
        own_data.image_size_for(31)


def test_batch_size_for():
    counts = (1, 7, 8, 20, 80, 10**6)
    assert [own_data.batch_size_for(n) for n in counts] == [1, 1, 2, 4, 16, 128]
