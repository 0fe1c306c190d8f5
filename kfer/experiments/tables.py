"""The tables: which cells stand where, and the numbers that the paper prints.

The printed numbers are Tables 1 to 3 of Zhang et al., WACV 2021. Tables that the paper
doesn't have print none.
"""

from collections.abc import Mapping

from kfer.errors import UserError
from kfer.experiments.cells import SETTINGS
from kfer.experiments.table import Entry, Table


def _rows(
    setting: str, target: str, rows: Mapping[str, tuple[str, float | None]]
) -> dict[str, tuple[Entry | None, ...]]:
    return {
        label: (Entry(setting, method, target, printed=printed),)
        for label, (method, printed) in rows.items()
    }


_TABLE_1 = {
    "VGGNet, clean labels": ("vgg_clean", 88.55),
    "VGGNet, majority vote": ("vgg_majority", 82.36),
    "VGGNet": ("vgg_all", 80.23),
    "AIR": ("air", 76.37),
    "SCE": ("sce", 86.34),
    "Co-teaching": ("co_teaching", 84.21),
    "LTNet": ("ltnet", 87.23),
    "Proposed": ("joint", 87.90),
}

_BEYOND = {
    "Generalised CE": "gce",
    "Label smoothing": "label_smoothing",
    "Forward correction, recorded confusion": "forward_correction",
    "ELR": "elr",
    "CrowdLayer": "crowd_layer",
}

_ABLATIONS = ("vgg_all", "without_joint", "without_marginal", "without_gx", "joint")

_PRINTED_3 = {
    "Single-label CIFAR-10": ("cifar10_single", (77.82, 77.93, 83.65, 83.51, 84.78)),
    "Multi-label CIFAR-10": ("cifar10", (80.23, 79.10, 85.48, 87.88, 87.90)),
    "Single-task RAF-base": ("raf_single", (72.64, 72.28, 73.19, 73.37, 74.02)),
    "Multi-task RAF-base": ("raf_multi", (73.15, 73.24, 74.40, 74.46, 76.10)),
}


def _ablations(setting: str, printed: tuple[float, ...]) -> tuple[Entry, ...]:
    target = "class" if SETTINGS[setting].data == "cifar10" else "expression"
    return tuple(
        Entry(setting, method, target, printed=number)
        for method, number in zip(_ABLATIONS, printed, strict=True)
    )


def _faces(
    method: str, raf: float, affectnet: float, values: tuple[float, ...], multi: bool
) -> tuple[Entry | None, ...]:
    """A row of Table 2: two accuracies, CCC and MSE."""
    kind = "multi" if multi else "single"
    found: list[Entry | None] = [
        Entry(f"raf_{kind}", method, "expression", printed=raf),
        Entry(f"affectnet_{kind}", method, "expression", printed=affectnet),
    ]
    where = "affectnet_multi" if multi else "affectnet_va"
    for measure, printed in zip(("ccc", "mse"), values, strict=False):
        found.append(Entry(where, method, "valence_arousal", measure, printed))
    return (*found, *(None,) * (4 - len(found)))


_TABLE_2 = {
    "single-task VGGNet": _faces("vgg_all", 72.64, 43.42, (0.6254, 0.1438), False),
    "single-task SCE": _faces("sce", 73.96, 42.87, (), False),
    "single-task Co-teaching": _faces("co_teaching", 75.43, 42.36, (), False),
    "single-task Proposed": _faces("joint", 74.02, 44.52, (0.6354, 0.1284), False),
    "multi-task VGGNet": _faces("vgg_all", 73.15, 43.36, (0.6263, 0.1354), True),
    "multi-task Proposed": _faces("joint", 76.10, 46.08, (0.6727, 0.1248), True),
}

_VOTES = {
    "accuracy [%]": ("expression", "accuracy"),
    "V/A CCC": ("valence_arousal", "ccc"),
}

_ON_BASES = {
    f"{data} {head}": (setting, measured)
    for data, setting in (
        ("RAF-base", "raf_multi"),
        ("AffectNet-base", "affectnet_multi"),
    )
    for head, measured in _VOTES.items()
}


_ON_FERPLUS = {head: ("ferplus", measured) for head, measured in _VOTES.items()}


def _entries(
    method: str, columns: Mapping[str, tuple[str, tuple[str, str]]]
) -> tuple[Entry, ...]:
    return tuple(Entry(on, method, *measured) for on, measured in columns.values())


_HUMAN = {label: name for label, (name, _) in _TABLE_1.items() if name != "air"}


_FIELD = {
    "Clean labels": "vgg_clean",
    "All label sets": "vgg_all",
    "Majority vote": "vgg_majority",
    "Dawid-Skene posteriors": "dawid_skene",
    "EM in the loop": "em",
    "SCE": "sce",
    "GCE": "gce",
    "ELR": "elr",
    "LTNet": "ltnet",
    "GeoCrowdNet": "geo_crowd",
    "annot-mix": "annot_mix",
    "Co-teaching": "co_teaching",
}


_FACE_FIELD = {
    # Drawn training faces have neither a truth nor a majority vote.
    **{k: m for k, m in _FIELD.items() if m not in ("vgg_clean", "vgg_majority")},
    "Label smoothing": "label_smoothing",
    "CrowdLayer": "crowd_layer",
    "AIR": "air",
    "Huber": "huber",
    "Proposed": "joint",
}

# Of them, those that one label set is enough for.
_ONE_SET = (
    *("All label sets", "EM in the loop", "SCE", "GCE", "ELR", "Co-teaching"),
    *("Label smoothing", "Huber", "Proposed"),
)

_CLASS = {"test accuracy [%]": ("class", "accuracy")}
_DRAWN = {**_VOTES, "ECE": ("expression", "ece")}


def _field(
    setting: str,
    about: str = "",
    columns: Mapping[str, tuple[str, str]] = _CLASS,
    methods: Mapping[str, str] = _FIELD,
) -> Table:
    rows: dict[str, tuple[Entry | None, ...]] = {
        label: tuple(Entry(setting, method, *where) for where in columns.values())
        for label, method in methods.items()
    }
    title = f"The field: {about or SETTINGS[setting].about}"
    return Table(f"field_{setting}", title, tuple(columns), rows, against="em")


TABLES = {
    table.name: table
    for table in (
        Table(
            "1",
            "Table 1: CIFAR-10 with three simulated label sets",
            ("test accuracy [%]",),
            _rows("cifar10", "class", _TABLE_1),
        ),
        Table(
            "2",
            "Table 2: facial emotion",
            (
                "RAF-base accuracy [%]",
                "AffectNet-base accuracy [%]",
                "V/A CCC",
                "V/A MSE",
            ),
            _TABLE_2,
        ),
        Table(
            "3",
            "Table 3: ablations",
            ("VGGNet", "w/o joint", "w/o marginal", "w/o G_X", "Proposed"),
            {row: _ablations(*given) for row, given in _PRINTED_3.items()},
        ),
        Table(
            "cifar10n",
            "CIFAR-10N: three people's labels",
            ("test accuracy [%]",),
            _rows("cifar10n", "class", {k: (m, None) for k, m in _HUMAN.items()}),
        ),
        Table(
            "ferplus",
            "FER+: three sampled annotators, and V/A from the votes",
            tuple(_ON_FERPLUS),
            {row: _entries(method, _ON_FERPLUS) for row, method in _HUMAN.items()},
        ),
        Table(
            "beyond",
            "Methods beyond the paper's, on the data of Table 1",
            ("test accuracy [%]",),
            _rows("cifar10", "class", {k: (m, None) for k, m in _BEYOND.items()}),
        ),
        Table(
            "fig3",
            "Fig. 3: clean test accuracy over training steps, CIFAR-10",
            ("test accuracy [%]",),
            _rows("cifar10", "class", _TABLE_1),
            figure="curves",
        ),
        Table(
            "fig4",
            "Fig. 4: pictures drawn by G_X",
            ("test accuracy [%]",),
            {
                SETTINGS[name].about: (Entry(name, "joint", target),)
                for name, target in (
                    ("cifar10", "class"),
                    ("raf_multi", "expression"),
                    ("affectnet_multi", "expression"),
                )
            },
            figure="samples",
        ),
        _field("cifar10", "CIFAR-10, three label sets, 20, 30, 40 % noise"),
        _field("cifar10_single", "CIFAR-10, one label set, 20 % noise"),
        _field("cifar10n", "CIFAR-10N, three people's labels"),
        _field("ferplus", columns=_VOTES),
        Table(
            "field_bases",
            "The field: classes and V/A by a model of another domain (Table 2's data)",
            tuple(_ON_BASES),
            {row: _entries(_FACE_FIELD[row], _ON_BASES) for row in _ONE_SET},
            against="em",
        ),
        *(
            _field(setting, columns=_DRAWN, methods=_FACE_FIELD)
            for setting in SETTINGS
            if setting.startswith("faces")
        ),
    )
}


def table_of(name: str) -> Table:
    """The table of that name; UserError if there is none."""
    if name not in TABLES:
        raise UserError(f"Unknown table {name!r}; known: {', '.join(TABLES)}")
    return TABLES[name]
