import os
import subprocess
import sys
import textwrap

import pytest

from kfer.bin import common
from kfer.errors import UserError

TOY = '''
"""Does what it is told.

  kfer-toy WORD [flags]
"""
import os
import signal

from absl import flags, logging

from kfer.bin import common
from kfer.errors import UserError

flags.DEFINE_integer("count", 3, "How many.")


def main(argv):
    word = argv[1]
    if word == "user":
        raise UserError("found a, expected b; do c")
    if word == "stop":
        # ignored where the tests run in a shell's background
        signal.signal(signal.SIGINT, signal.default_int_handler)
        os.kill(os.getpid(), signal.SIGINT)
    if word == "bug":
        raise ValueError("a bug")
    logging.info("count %d", flags.FLAGS.count)
    if word == "tensorflow":
        common.import_tensorflow()
        from tensorflow import keras
    return 0


def entry():
    common.run(main, tensorflow=False)
'''


@pytest.fixture(scope="module")
def toy(tmp_path_factory):
    """Runs a command as its console script does; gives status, stdout and stderr."""
    folder = tmp_path_factory.mktemp("toy")
    (folder / "toy_main.py").write_text(TOY)
    script = folder / "kfer-toy"
    script.write_text("import toy_main\ntoy_main.entry()\n")

    def run(*arguments):
        path = os.pathsep.join([str(folder), os.getcwd()])
        done = subprocess.run(
            [sys.executable, str(script), *arguments],
            env={**os.environ, "PYTHONPATH": path, "TF_CPP_MIN_LOG_LEVEL": "2"},
            capture_output=True,
            text=True,
            check=False,
        )
        return done.returncode, done.stdout, done.stderr

    return run


def test_a_user_error_is_one_line_and_status_2(toy):
    status, out, err = toy("user")
    assert (status, out) == (2, "")
    assert err == "kfer-toy: error: found a, expected b; do c\n"


def test_interruption_is_status_130(toy):
    status, _, err = toy("stop")
    assert (status, err) == (130, "kfer-toy: interrupted\n")


def test_a_bug_keeps_its_traceback(toy):
    status, _, err = toy("bug")
    assert status == 1
    assert "Traceback" in err and err.endswith("ValueError: a bug\n")


def test_flags_and_logging_work(toy):
    status, _, err = toy("go", "--count=5")
    assert status == 0
    assert err.endswith(" I count 5\n") and err.count("\n") == 1


def test_unknown_flags_are_named(toy):
    status, _, err = toy("go", "--cuont=5")
    assert status == 2
    said = "Unknown command line flag 'cuont'. Did you mean: count ?"
    assert said in err and err.count("\n") == 1


@pytest.mark.parametrize("flag", ["--help", "--helpfull"])
def test_help_shows_the_commands_own_flags(toy, flag):
    status, out, _ = toy(flag)
    assert status == 0
    assert "kfer-toy WORD [flags]" in out
    assert "--count: How many." in textwrap.dedent(out)
    assert ("--[no]logtostderr" in out) == (flag == "--helpfull")


def test_tensorflow_starts_in_silence(toy):
    status, _, err = toy("tensorflow")
    assert status == 0
    # TensorFlow 2.21 says so where there is no GPU, and a broken driver says the same
    lines = err.splitlines(keepends=True)
    err = "".join(line for line in lines if "failed call to cuInit" not in line)
    assert err.endswith(" I count 3\n") and err.count("\n") == 1, err


def test_a_command_of_tfx_says_what_is_missing():
    common.needs_tfx("json")
    with pytest.raises(UserError, match=r"needs no_tfx, .*; install kfer\[pipeline\]"):
        common.needs_tfx("no_tfx")


def test_numbers_name_their_flag():
    assert common.numbers(["0.2", "1"], "rates") == (0.2, 1.0)
    with pytest.raises(UserError, match=r"--rates takes numbers .*, got '0.2,x'"):
        common.numbers(["0.2", "x"], "rates")


def test_command_line_is_quoted(monkeypatch):
    monkeypatch.setattr(sys, "argv", ["/usr/bin/kfer-toy", "--a=b c"])
    assert common.command_line() == "kfer-toy '--a=b c'"
