"""What libraries say goes into the file; what was there before comes back."""

import logging
import os
import subprocess
import sys
import warnings

import pytest

from pipelines import quiet


def test_loggers_warnings_and_children_go_into_the_file(tmp_path, capfd):
    path = tmp_path / "log"
    before = logging.getLogger().handlers[:]
    with quiet.into(str(path)):
        logging.getLogger("theirs").warning("a logged line")
        warnings.warn("a warning", stacklevel=1)
        os.write(2, b"a native line\n")
        subprocess.run([sys.executable, "-c", "import os; os.write(2, b'a child')"])
        print("for the user", file=sys.stderr)
    text = path.read_text()
    for line in ("a logged line", "a warning", "a native line", "a child"):
        assert line in text
    seen = capfd.readouterr().err
    assert "for the user" in seen and "native" not in seen and "child" not in seen
    assert logging.getLogger().handlers == before


def test_an_error_puts_all_back(tmp_path, capfd):
    stderr = sys.stderr
    with pytest.raises(ValueError, match="inside"):
        with quiet.into(str(tmp_path / "log")):
            raise ValueError("inside")
    os.write(2, b"heard again\n")
    assert "heard again" in capfd.readouterr().err and sys.stderr is stderr


def test_a_second_run_adds_to_the_file(tmp_path):
    for word in ("one", "two"):
        with quiet.into(str(tmp_path / "log")):
            os.write(2, word.encode())
    assert (tmp_path / "log").read_text() == "onetwo"
