"""Serves a model over HTTP.

kfer-serve --model=DIR [--name=NAME] [--host=127.0.0.1] [--port=8501]
    [--grpc_port=8500]
    [--framing=none|as_given|landmarks] [--detector=mtcnn|yuface|cascade]
    [--ui [--runs_dir=DIR] [--data_dir=DIR [--audit_dir=DIR]]]

DIR is a folder of published versions (kfer-export --publish), of which the newest
answers, also one that is published later; or a model; or a run. The calls:

  GET  /v1/models/NAME[/versions/N]            which versions there are
  GET  /v1/models/NAME[/versions/N]/metadata   the signatures
  POST /v1/models/NAME[/versions/N]:predict    TensorFlow Serving's REST bodies
  POST /faces                                  a picture, as it is or in a form
  GET  /healthz, /metrics                      for those who watch the server

--grpc_port adds TensorFlow Serving's gRPC calls Predict, GetModelMetadata and
GetModelStatus at a port of their own.

With --ui also a page for people: try a picture, compare the runs of --runs_dir, look at
the data set of --data_dir, and decide about the most suspicious labels of its audit.

A SavedModel is a program: serve models of people you trust alone. Ends on SIGTERM or
Ctrl-C, when the requests in progress are answered.
"""

import dataclasses
from collections.abc import Sequence
from typing import Any

from absl import flags

from kfer.bin import common, remote
from kfer.errors import UserError
from kfer.faces import detectors, framing
from kfer.server import options as options_lib
from kfer.server import running

FLAGS = flags.FLAGS

_DEFAULT = options_lib.ServerOptions()

flags.DEFINE_string("model", "", "Published versions, a model, or a run's folder.")
flags.DEFINE_string("host", "127.0.0.1", "Where to listen; 0.0.0.0 for everybody.")
flags.DEFINE_integer("port", 8501, "Where to listen; 0 for a free port.", 0, 65535)
flags.DEFINE_integer(
    "grpc_port", None, "Also answer gRPC there; 0 for a free port.", 0, 65535
)
flags.DEFINE_list("allowed_hosts", [], "More names under which clients ask.")
flags.DEFINE_string("name", _DEFAULT.name, "Of the model; else that of its folder.")
flags.DEFINE_enum(
    "framing", None, framing.FRAMINGS, "How faces were cut; else as the model says."
)
flags.DEFINE_enum(
    "detector", None, sorted(detectors.DETECTORS), "Else the one the model names."
)
flags.DEFINE_bool("ui", False, "Also a page for people, at /.")
flags.DEFINE_string("runs_dir", "", "Folder of run folders that --ui compares.")
flags.DEFINE_string("audit_dir", "", "An audit whose labels --ui reviews.")
flags.DEFINE_string("data_dir", "", "A prepared data set that --ui shows.")
flags.DEFINE_string(
    "decisions", "", "Where the review notes decisions; else in --audit_dir."
)
flags.DEFINE_integer("max_body_bytes", _DEFAULT.max_body_bytes, "Of a request.", 1)
flags.DEFINE_integer(
    "max_held_bytes", _DEFAULT.max_held_bytes, "Of all requests in progress.", 1
)
flags.DEFINE_integer("max_pixels", _DEFAULT.max_pixels, "Of a picture.", 1)
flags.DEFINE_integer("max_pictures", _DEFAULT.max_pictures, "Of a request.", 1)
flags.DEFINE_integer(
    "max_queue", _DEFAULT.max_queue, "Pictures of all requests in progress.", 1
)
flags.DEFINE_integer(
    "max_batch", _DEFAULT.max_batch, "Pictures the network sees at once.", 1
)
flags.DEFINE_integer(
    "max_connections", _DEFAULT.max_connections, "Open at once; others get 503.", 1
)
flags.DEFINE_float("request_seconds", _DEFAULT.request_seconds, "For an answer.")
flags.DEFINE_float("stop_seconds", _DEFAULT.stop_seconds, "For requests at the end.")
flags.DEFINE_float("poll_seconds", _DEFAULT.poll_seconds, "Between looks for versions.")
flags.DEFINE_integer(
    "decode_threads", _DEFAULT.decode_threads, "That decode pictures.", 1
)


STORES = {"model": remote.AS_IT_IS, "data_dir": remote.READ_DATA}


def _options() -> options_lib.ServerOptions:
    fields = dataclasses.fields(options_lib.ServerOptions)
    values = {field.name: getattr(FLAGS, field.name) for field in fields}
    # An enum flag that isn't given is None.
    given = {name: value for name, value in values.items() if value is not None}
    return options_lib.ServerOptions(**given)


def _check_page() -> None:
    """Wrong use of the page's flags is told at once."""
    for name in ("runs_dir", "audit_dir", "data_dir", "decisions"):
        if FLAGS[name].value and not FLAGS.ui:
            raise UserError(f"--{name} is for the page; add --ui")
    if FLAGS.audit_dir and not FLAGS.data_dir:
        raise UserError("--audit_dir needs --data_dir, the data set that was audited")
    if FLAGS.decisions and not FLAGS.audit_dir:
        raise UserError("--decisions needs --audit_dir, whose labels are reviewed")


def main(argv: Sequence[str]) -> None:
    """Serves until it is stopped.

    Raises:
      UserError: no model is named or there is none, or the port is in use.
    """
    if len(argv) > 1 or not FLAGS.model:
        raise UserError("Name a model: kfer-serve --model=DIR")
    _check_page()
    options = _options()
    with running.listen(FLAGS.host, FLAGS.port) as listening:
        grpc_port = FLAGS.grpc_port
        if grpc_port is not None:
            grpc_port = running.free_port(FLAGS.host, grpc_port)
        common.import_tensorflow()
        from kfer.server import app, service, versions

        found = versions.Versions(FLAGS.model, options.name)
        hosts = running.hosts(FLAGS.host, FLAGS.allowed_hosts)
        answering = service.Service(found, options)
        made = app.make(
            answering, hosts, _pages(answering), _beside(answering, grpc_port)
        )
        running.run(made, listening, options)


def _beside(answering: Any, grpc_port: int | None) -> list[Any]:
    """What answers gRPC, if it is asked for."""
    if grpc_port is None:
        return []
    from kfer.server import grpc_calls

    return [grpc_calls.listening(answering, FLAGS.host, grpc_port)]


def _pages(answering: Any) -> list[Any]:
    """The routes of the page, if it is asked for."""
    if not FLAGS.ui:
        return []
    from kfer.audit.review import Review
    from kfer.data.browse import Browser
    from kfer.server import pages

    browser = Browser(FLAGS.data_dir) if FLAGS.data_dir else None
    review = None
    if FLAGS.audit_dir:
        review = Review(FLAGS.data_dir, FLAGS.audit_dir, FLAGS.decisions)
    return pages.routes(answering, FLAGS.runs_dir, browser, review)


def entry() -> None:
    """The console command kfer-serve."""
    common.run(main, tensorflow=False)


if __name__ == "__main__":
    entry()
