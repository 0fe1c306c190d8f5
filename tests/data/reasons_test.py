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


def test_the_share_of_faults_leaves_exclusions_out_and_may_be_reached():
    counts = {reasons.BAD_BOX: 5, reasons.not_asked_for("contempt"): 3}
    assert reasons.excess(counts, 8, 0.625) == ""
    assert reasons.excess(counts, 8, 0.6) == "62.5%, --max_rejected=0.6"
    assert reasons.excess({}, 0, 0.0) == ""


def test_leaks_name_both_splits():
    assert reasons.leak("test", "train") == "leak: test picture also in train"
