"""Methods as three axes: what is minimised, who gives the labels, what else is learned.

Most rows of kfer.methods.METHODS stand on one axis. Others are named by their parts,
the regulariser first: joint+ltnet+sce is SCE through LTNet's matrices under the game.
"""

from kfer.errors import UserError

# Axis -> its values, the first of which adds nothing to a name.
AXES = {
    "regulariser": (
        "none",
        "joint",
        "without_joint",
        "without_marginal",
        "without_gx",
        "joint_alone",
    ),
    "annotators": (
        "separate",
        "ltnet",
        "geo_crowd",
        "crowd_layer",
        "known",
        "dawid_skene",
        "em",
    ),
    "objective": ("cross_entropy", "sce", "gce", "label_smoothing", "elr"),
}

# Regularisers that draw no pictures.
WITHOUT_DECODER = ("without_gx", "joint_alone")

# Parts whose row has another name.
_ROWS = {"known": "forward_correction"}
# Combinations that are rows of their own.
_PRESETS = {
    "": "vgg_all",
    "known": "forward_correction",
    "joint+em": "joint_em",
    "joint_alone+em": "joint_em_without_gx",
}


def name_of(
    regulariser: str = "none",
    annotators: str = "separate",
    objective: str = "cross_entropy",
) -> str:
    """The method that stands there on the axes.

    Raises:
      UserError: an unknown value.
    """
    chosen = dict(zip(AXES, (regulariser, annotators, objective), strict=True))
    for axis, value in chosen.items():
        if value not in AXES[axis]:
            known = ", ".join(AXES[axis])
            raise UserError(f"Unknown {axis} {value!r}; known: {known}")
    parts = (value for axis, value in chosen.items() if value != AXES[axis][0])
    name = "+".join(parts)
    return _PRESETS.get(name, name)


def rows_of(method: str) -> tuple[str, ...]:
    """The rows that a method is made of, regulariser first; itself if it is one.

    Raises:
      UserError: a part that is unknown, two of one axis, or the method has another
        name.
    """
    if "+" not in method:
        return (method,)
    chosen: dict[str, str] = {}
    for part in method.split("+"):
        axis = _axis_of(part, method)
        if axis in chosen:
            raise UserError(
                f"Method {method!r} has two values of {axis}: {chosen[axis]} and "
                f"{part}; choose one"
            )
        chosen[axis] = part
    if (name := name_of(**chosen)) != method:
        raise UserError(f"Method {method!r} is written {name}")
    return tuple(_ROWS.get(part, part) for part in method.split("+"))


def regulariser_of(method: str) -> str:
    """The regulariser of a method's game; 'none' if it plays none.

    Raises:
      UserError: see rows_of.
    """
    names = {row: parts for parts, row in _PRESETS.items()}
    first = names.get(method, rows_of(method)[0]).split("+")[0]
    return first if first in AXES["regulariser"] else AXES["regulariser"][0]


def has_decoder(method: str) -> bool:
    """Whether a method draws pictures with a G_X; raises as rows_of does."""
    return regulariser_of(method) not in (AXES["regulariser"][0], *WITHOUT_DECODER)


def _axis_of(part: str, method: str) -> str:
    for axis, values in AXES.items():
        if part in values[1:]:
            return axis
    known = ", ".join(value for values in AXES.values() for value in values[1:])
    raise UserError(f"Method {method!r} has an unknown part {part!r}; known: {known}")
