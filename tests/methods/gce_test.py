from tests.methods import overfit


def test_beats_cross_entropy_where_labels_are_learned_by_heart(monkeypatch):
    plain, _ = overfit.of_cross_entropy()
    found, logs = overfit.clean_accuracy(monkeypatch, "gce", q=0.9)
    print(f"clean accuracy {found:.3f}, cross entropy's {plain:.3f}")
    assert found > plain + 0.1
    assert logs["annotator_1/accuracy"] < 0.8


def test_a_small_q_is_cross_entropy(monkeypatch):
    plain, plain_logs = overfit.of_cross_entropy()
    found, logs = overfit.clean_accuracy(monkeypatch, "gce", q=0.001)
    assert abs(found - plain) < 0.05
    assert abs(logs["loss"] - plain_logs["loss"]) < 0.05
