"""Operations that a kfer model has no use for, looked for before a model is loaded.

A SavedModel is a program: its graph can read and write files, ask other machines and
call Python. This refuses graphs that do so in the open. It makes no stranger's model
safe: what saves and restores variables writes and reads files too and can't be told
apart, and TensorFlow's kernels were not written against hostile graphs.
"""

from typing import Any

from kfer.errors import UserError

_FILES = (
    *("ReadFile", "WriteFile", "MatchingFiles", "PrintV2", "SqlDataset"),
    *("TextLineDataset", "TFRecordDataset", "FixedLengthRecordDataset", "CSVDataset"),
    *("LMDBDataset", "CacheDataset", "SnapshotDataset", "SaveDataset", "LoadDataset"),
    *("WholeFileReader", "TextLineReader", "TFRecordReader", "CreateSummaryDbWriter"),
    *("FixedLengthRecordReader", "InitializeTableFromTextFile", "DumpTensor"),
    *("CreateSummaryFileWriter", "DebugIdentity", "DebugNumericSummary"),
)
_MACHINES = ("DataServiceDataset", "DistributedSave", "RpcCall", "RpcClient")
_PYTHON = ("PyFunc", "PyFuncStateless", "EagerPyFunc", "GeneratorDataset")
REFUSED = frozenset((*_FILES, *_MACHINES, *_PYTHON))


def check(path: str) -> None:
    """Reads a SavedModel's graph without running anything of it.

    Args:
      path: of saved_model.pb.

    Raises:
      UserError: it holds one of REFUSED, or a later version of one.
      ValueError: the file is no graph.
      OSError: it can't be read.
    """
    from google.protobuf import message
    from tensorflow.core.protobuf import saved_model_pb2

    with open(path, "rb") as file:
        data = file.read()
    try:
        saved = saved_model_pb2.SavedModel.FromString(data)
    except message.DecodeError as error:
        raise ValueError(str(error)) from error
    ops = {op for meta in saved.meta_graphs for op in _ops(meta.graph_def)}
    if found := sorted(op for op in ops if _plain(op) in REFUSED):
        raise UserError(
            f"{path} holds {', '.join(found)}: it touches files, other machines or "
            "Python, which no kfer model does; ask its maker for ONNX "
            "(kfer-export --format=onnx)"
        )


def _ops(graph: Any) -> set[str]:
    functions = (node for f in graph.library.function for node in f.node_def)
    return {node.op for nodes in (graph.node, functions) for node in nodes}


def _plain(op: str) -> str:
    """The name without the version that TensorFlow adds: CacheDatasetV2's."""
    name, _, version = op.rpartition("V")
    return name if name and version.isdecimal() and op not in REFUSED else op
