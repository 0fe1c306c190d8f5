from kfer.storage.order import Order

RUN = Order(
    ("metrics.json", "saved_model.pb"), ("versions.json", "config.json"), (".index",)
)


def test_what_marks_a_folder_is_put_last_and_the_places_own_at_the_end():
    keys = [
        "metrics.json",
        "model/saved_model.pb",
        "checkpoints/step-2.index",
        "config.json",
        "history.jsonl",
        "checkpoints/step-2.data",
        "versions.json",
    ]
    rest, marks = RUN.groups(keys)
    assert rest == [
        ["versions.json"],
        ["config.json"],
        ["checkpoints/step-2.data", "history.jsonl"],
        ["checkpoints/step-2.index"],
    ]
    assert marks == [["model/saved_model.pb"], ["metrics.json"]]
    assert Order().groups(["b", "a"]) == ([["a", "b"]], [])


def test_what_tells_of_others_is_removed_before_them():
    keys = ["c/step-2.data", "a", "c/step-2.index"]
    assert RUN.removed(keys) == ["c/step-2.index", "a", "c/step-2.data"]


def test_marks_go_from_folders_that_change_and_outer_ones_first():
    there = ["metrics.json", "model/saved_model.pb", "old/saved_model.pb", "a"]
    found = RUN.marks_over(["model/variables.data"], there)
    assert found == ["metrics.json", "model/saved_model.pb"]
    assert RUN.marks_over(["history.jsonl"], there) == ["metrics.json"]
    # a mark that alone is replaced is replaced whole
    assert RUN.marks_over(["metrics.json"], there) == []
    assert RUN.marks_over(["model/saved_model.pb"], there) == ["metrics.json"]
