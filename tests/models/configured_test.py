"""Networks from their configs."""

import json

import pytest

from kfer.errors import UserError
from kfer.models.decoder import Decoder
from kfer.models.discriminator import Discriminator
from kfer.models.encoder import Encoder


def test_a_network_follows_from_what_it_tells(tiny_config):
    run = tiny_config()
    for network in (Encoder(run), Decoder(run), Discriminator(run, use_joint=False)):
        told = json.loads(json.dumps(network.get_config()))
        again = type(network).from_config(told)
        assert again.config == run and again.get_config() == told
    assert told["use_joint"] is False and again.streams == network.streams


def test_a_config_of_another_version_is_the_user_s_error(tiny_config):
    told = Encoder(tiny_config()).get_config()
    del told["config"]["recipe"]
    with pytest.raises(UserError, match="does not fit this version of kfer"):
        Encoder.from_config(told)
