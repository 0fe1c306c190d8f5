"""Rules about the source, each with its exceptions and their reasons."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("kfer", "components", "pipelines")
SOURCES = sorted(path for name in PACKAGES for path in (ROOT / name).rglob("*.py"))
TESTS = sorted((ROOT / "tests").rglob("*.py"))
MAX_LINES = 300
MAX_FUNCTION_LINES = 40  # without the docstring

# Files without a test file of their own, and why.
WITHOUT_TEST = {
    "kfer/errors.py": "one class without behaviour",
    "kfer/structures.py": "named tuples without behaviour",
    "kfer/audit/table.py": "a named tuple without behaviour",
    "kfer/serving/encoded.py": "serving/signatures_test and examples_test",
    "kfer/server/metrics.py": "app_test reads them as Prometheus does",
    "kfer/server/refusal.py": "app_test asks for each",
    "kfer/server/shell.py": "pages_test reads what it renders",
    "kfer/server/service.py": "app_test asks it",
    "kfer/data/datasets/affectnet_2021.py": "one layout of affectnet_test",
    "kfer/data/affectnet_labels.py": "affectnet_test",
    "kfer/data/manifest_rows.py": "datasets/manifest_test",
    "kfer/data/importing/coding.py": "understand_test",
    "kfer/data/importing/describe.py": "examples_test",
    "kfer/bin/table_flags.py": "table_import_test",
    "kfer/data/storage.py": "input_pipeline_test",
    "kfer/data/decoding.py": "input_pipeline_test",
    "kfer/models/backbones/base.py": "an interface; what implements it is tested",
    "kfer/models/backbones/vgg16.py": "models/encoder_test",
    "kfer/models/backbones/dense.py": "models/encoder_test",
    "kfer/settings/backbones.py": "models/backbones/applications_test",
    "kfer/settings/method_options.py": "options_test",
    "kfer/settings/annotator_options.py": "options_test",
    "kfer/bin/demo_main.py": "make demo; pipelines/seeds_test and local_runner_test",
    "kfer/data/described.py": "bin/data_main_test",
    "kfer/preprocess/collect.py": "job_test reads what it collects",
    **{
        f"components/{name}/{file}.py": "pipelines/local_runner_test runs it"
        for name in ("face_example_gen", "relabeler")
        for file in ("component", "executor")
    },
    **{
        f"components/{name}/component.py": "pipelines/local_runner_test runs it"
        for name in (
            "fer_evaluator",
            "label_gate",
            "label_noiser",
            "model_pusher",
            "serving_check",
        )
    },
    "components/artifacts.py": "pipelines/local_runner_test reads what it notes",
    "pipelines/create_pipeline.py": "local_runner_test and kubeflow_runner_test",
    **{
        f"kfer/data/fake_roots/{name}.py": "makes raw data for its reader's tests"
        for name in ("affectnet", "ferplus", "files", "manifest", "raf")
    },
}

# Files that may be longer, and why.
LONGER = {
    "tests/data/input_pipeline_test.py": "order, noise, sharding of one function",
    "tests/models/spectral_test.py": "four kinds of layer, the same checks",
    "tests/preprocess/job_test.py": "one job, many wrong inputs",
}


def test_of(name):
    """kfer/a/b.py -> tests/a/b_test.py, components/b.py -> tests/components/b_test.py."""
    inside = name.removeprefix("kfer/")
    return f"tests/{inside}".replace(".py", "_test.py")


test_of.__test__ = False


def name_of(path):
    return path.relative_to(ROOT).as_posix()


def code_of(path):
    """The file's text without comments and strings, line numbers kept."""
    text = path.read_text()
    lines = text.splitlines()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            for number in range(node.lineno - 1, node.end_lineno):
                first = node.col_offset if number == node.lineno - 1 else 0
                last = (
                    node.end_col_offset
                    if number == node.end_lineno - 1
                    else len(lines[number])
                )
                line = lines[number]
                lines[number] = line[:first] + " " * (last - first) + line[last:]
    return "\n".join(line.split("#")[0] for line in lines)


def imports_of(path):
    """Names of the modules that a file imports."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            module = node.module or ""
            yield module
            yield from (f"{module}.{alias.name}" for alias in node.names)


def found_in(pattern, paths):
    """'file:line: text' of every line of code that matches."""
    return [
        f"{name_of(path)}:{number}: {line.strip()}"
        for path in paths
        for number, line in enumerate(code_of(path).splitlines(), 1)
        if re.search(pattern, line)
    ]


def report(found):
    return "\n" + "\n".join(found)


def test_there_is_something_to_check():
    assert len(SOURCES) > 40 and len(TESTS) > 40


def test_every_file_has_a_test():
    missing = []
    for path in SOURCES:
        name = name_of(path)
        test = test_of(name)
        if path.name == "__init__.py" or name in WITHOUT_TEST:
            continue
        if not (ROOT / test).is_file():
            missing.append(f"{name} has no {test}")
    assert not missing, report(missing)


def test_exceptions_are_still_needed():
    for name in WITHOUT_TEST:
        test = test_of(name)
        assert (ROOT / name).is_file(), name
        assert not (ROOT / test).is_file(), name
    for name in LONGER:
        assert len((ROOT / name).read_text().splitlines()) > MAX_LINES, name


def test_every_test_file_has_tests_and_a_package():
    empty = [
        name_of(path)
        for path in TESTS
        if path.name.endswith("_test.py") and "def test_" not in path.read_text()
    ]
    assert not empty, report(empty)
    bare = {p.parent for p in TESTS if not (p.parent / "__init__.py").is_file()}
    assert not bare, report([name_of(folder) for folder in bare])


def test_flags_belong_to_the_commands():
    others = [p for p in SOURCES if "kfer/bin/" not in name_of(p)]
    found = found_in(r"\bFLAGS\b|\bflags\.DEFINE", others)
    found += [
        f"{name_of(path)} imports {module}"
        for path in others
        for module in imports_of(path)
        if module.startswith("absl.flags") or module in ("argparse", "absl.app")
    ]
    assert not found, report(found)


def test_components_keep_their_annotations():
    # TFX reads them; the future import would make them text.
    found = found_in(r"from __future__", SOURCES)
    assert not found, report(found)


def test_no_private_tensorflow():
    found = [
        f"{name_of(path)} imports {module}"
        for path in (*SOURCES, *TESTS)
        for module in imports_of(path)
        if re.match(r"tensorflow\.python|keras\.src|keras\.api", module)
        # which Keras tf.keras is, kfer/__init__.py decides
        or re.match(r"(tf_)?keras(\.|$)", module)
    ]
    found += found_in(r"\btensorflow\.python\b|\bkeras\.src\b", SOURCES)
    assert not found, report(found)


def test_no_plain_unpickling():
    pattern = r"(?<![.\w])c?[pP]ickle\.(loads?|Unpickler)\b|allow_pickle\s*=\s*True"
    allowed = "kfer/data/safe_pickle.py"
    found = found_in(pattern, [p for p in SOURCES if name_of(p) != allowed])
    found += [
        f"{name_of(path)} imports {module}"
        for path in SOURCES
        if name_of(path) != allowed
        for module in imports_of(path)
        if module.split(".")[0] in ("pickle", "cPickle", "dill", "joblib")
    ]
    assert not found, report(found)
    # and the one file that unpickles restricts what may be found
    assert "def find_class" in (ROOT / allowed).read_text()
    assert not found_in(r"(?<![.\w])pickle\.loads?\(", [ROOT / allowed])


def test_randomness_is_an_argument():
    pattern = r"\bnp\.random\.(seed|rand|randn|randint|choice|shuffle|permutation)\b"
    pattern += r"|\btf\.random\.(set_seed|normal|uniform)\b|(?<![.\w])random\.seed\b"
    found = found_in(pattern, SOURCES)
    assert not found, report(found)


@pytest.mark.parametrize("kind", (SOURCES, TESTS), ids=("sources", "tests"))
def test_files_are_short(kind):
    lengths = {name_of(p): len(p.read_text().splitlines()) for p in kind}
    long = [
        f"{name}: {lines} lines, at most {MAX_LINES}"
        for name, lines in lengths.items()
        if lines > MAX_LINES and name not in LONGER
    ]
    assert not long, report(long)


def lines_of(function):
    """Lines of a function without its docstring."""
    size = function.end_lineno - function.lineno + 1
    if ast.get_docstring(function) is not None:
        size -= function.body[0].end_lineno - function.body[0].lineno + 1
    return size


def test_functions_are_short():
    benchmarks = sorted((ROOT / "benchmarks").rglob("*.py"))
    long = [
        f"{name_of(path)}:{node.lineno}: {node.name} has {lines_of(node)} lines, at "
        f"most {MAX_FUNCTION_LINES}"
        for path in (*SOURCES, *benchmarks)
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef) and lines_of(node) > MAX_FUNCTION_LINES
    ]
    assert not long, report(long)


def test_every_todo_names_an_issue():
    me = Path(__file__)
    found = [
        f"{name_of(path)}:{number}: {line.strip()}"
        for path in (*SOURCES, *TESTS)
        if path != me
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if re.search(r"\b(TODO|FIXME|XXX)\b", line) and not re.search(r"#\d+", line)
    ]
    assert not found, report(found)


def test_the_rules_see_what_they_forbid(tmp_path):
    """Each pattern once on a file that breaks it."""
    bad = tmp_path / "bad.py"
    bad.write_text(
        '"""pickle.load in a docstring is no code."""\n'
        "import pickle\n"
        "from tensorflow.python.ops import math_ops\n"
        "x = pickle.load(f)  # FLAGS in a comment is none\n"
        "y = 'FLAGS.a'\n"
    )
    code = code_of(bad).splitlines()
    assert "pickle" not in code[0]
    assert "pickle.load(" in code[3] and "FLAGS" not in code[3]
    assert "FLAGS" not in code[4]
    modules = set(imports_of(bad))
    assert {"pickle", "tensorflow.python.ops"} <= modules
