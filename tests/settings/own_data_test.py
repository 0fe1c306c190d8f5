import pytest

from kfer.errors import UserError
from kfer.settings import own_data
from kfer.tasks import CATEGORICAL, LabelTask

MOOD = LabelTask("mood", CATEGORICAL, ("bored", "engaged"))


def test_size_and_batch_follow_from_the_data():
    config = own_data.experiment((MOOD,), "mine", 100, 20, faces=False)
    assert (config.name, config.dataset, config.tasks) == ("own_data", "mine", (MOOD,))
    assert (config.image_size, config.batch_size) == (96, 16)
    assert config.augmentation == "crop_flip"
    set_ = own_data.experiment(
        (MOOD,), "mine", 100, 20, True, image_size=32, method="gce", shuffle=False
    )
    assert (set_.image_size, set_.augmentation, set_.method) == (32, "face", "gce")
    assert set_.recipe.shuffle is False


def test_image_size_for():
    sizes = [own_data.image_size_for(stored) for stored in (0, 32, 47, 63, 64, 1024)]
    assert sizes == [64, 32, 32, 48, 64, 256]
    with pytest.raises(UserError, match="stored at 31 px, the networks take 32 px"):
        own_data.image_size_for(31)


def test_batch_size_for():
    counts = (1, 7, 8, 20, 80, 10**6)
    assert [own_data.batch_size_for(n) for n in counts] == [1, 1, 2, 4, 16, 128]


def test_the_default_is_a_compact_network_sized_by_the_data():
    small = own_data.experiment((MOOD,), "mine", 32, 4000, faces=False)
    assert (small.method, small.backbone, small.batch_size) == (
        "kfer",
        "compact_s",
        128,
    )
    assert small.learning_rate == 0.25  # 1.0 at batch 512
    assert small.epochs == 26  # 31 steps each, 800 in all
    assert small.optimization.averaging == "lookahead"
    large = own_data.experiment((MOOD,), "mine", 32, 50_000, faces=False)
    assert (large.batch_size, large.learning_rate, large.epochs) == (512, 1.0, 9)
    fewer = own_data.experiment((MOOD,), "mine", 32, 4000, False, batch_size=64)
    assert (fewer.batch_size, fewer.learning_rate, fewer.epochs) == (64, 0.125, 13)
    few = own_data.experiment((MOOD,), "mine", 32, 5, faces=False)
    assert (few.batch_size, few.epochs) == (5, 100)


@pytest.mark.parametrize(
    "settings",
    (
        {"method": "joint"},
        {"recipe": "paper"},
        {"recipe": "authors_2021", "method": "vgg_all"},
        {"backbone": "vgg16", "method": "sce"},
    ),
)
def test_the_paper_s_networks_keep_adam(settings):
    config = own_data.experiment((MOOD,), "mine", 32, 4000, False, **settings)
    assert (config.backbone, config.optimization.optimizer) == ("vgg16", "adam")
    assert (config.batch_size, config.learning_rate, config.epochs) == (128, 1e-4, 100)
