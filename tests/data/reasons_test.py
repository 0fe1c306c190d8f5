"""Which reasons are faults of the data."""

from kfer.data import reasons


def test_what_follows_from_the_options_is_no_fault():
    for reason in (
        reasons.no_expression("unknown"),
        reasons.not_asked_for("contempt"),
        reasons.leak("test", "train"),
    ):
        assert reasons.is_exclusion(reason)


def test_what_is_wrong_with_the_data_is_one():
    constants = [v for k, v in vars(reasons).items() if k.isupper() and k[0] != "_"]
    assert len(constants) > 10
    assert not any(map(reasons.is_exclusion, constants))


def test_leaks_name_both_splits():
    assert reasons.leak("test", "train") == "leak: test picture also in train"
