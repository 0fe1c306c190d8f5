from kfer.data import names


def test_safe_names_differ():
    assert names.safe_names(["é", "e", "日本", "東京", "a/b:c"]) == {
        "é": "e",
        "e": "e_2",
        "日本": "labels",
        "東京": "labels_2",
        "a/b:c": "a_b_c",
    }
