import json
import os
import subprocess
import sys

import kfer

PROGRAM = """
import json, os, sys, time
start = time.perf_counter()
import kfer
seconds = time.perf_counter() - start
heavy = {"tensorflow", "keras", "apache_beam", "tfx", "tensorflow_addons", "numpy"}
print(json.dumps({
    "seconds": seconds,
    "heavy": sorted(heavy & set(sys.modules)),
    "onednn": os.environ.get("TF_ENABLE_ONEDNN_OPTS"),
}))
"""


def imported(program=PROGRAM, **variables):
    """What a fresh process says after importing kfer."""
    environment = {k: v for k, v in os.environ.items() if k != "TF_ENABLE_ONEDNN_OPTS"}
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**environment, **variables},
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(done.stdout)


def test_import_is_quick_and_light():
    found = [imported() for _ in range(3)]
    assert min(f["seconds"] for f in found) < 0.3
    assert found[0]["heavy"] == []


def test_onednn_is_switched_on_unless_the_user_chose():
    assert imported()["onednn"] == "1"
    assert imported(TF_ENABLE_ONEDNN_OPTS="0")["onednn"] == "0"


def test_configuration_needs_no_tensorflow():
    program = PROGRAM.replace(
        "import kfer\n",
        "import kfer, kfer.settings.config, kfer.methods, kfer.tasks\n"
        "kfer.experiment_config('cifar10_multi'); kfer.METHODS; kfer.UserError\n",
        1,
    )
    assert imported(program)["heavy"] == []


def test_public_names():
    assert set(kfer.__all__) == set(dir(kfer))
    for name in kfer.__all__:
        assert getattr(kfer, name) is not None, name


def test_an_unknown_name():
    try:
        kfer.Trainer  # noqa: B018
    except AttributeError as error:
        assert str(error) == "module 'kfer' has no attribute 'Trainer'"
    else:
        raise AssertionError("kfer.Trainer exists")
