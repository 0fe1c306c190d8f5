"""How faces are drawn, framed and varied: one frozen row per style."""

import dataclasses

from kfer.errors import UserError

BACKGROUNDS = ("plain", "gradient", "blobs", "stripes", "dots")


@dataclasses.dataclass(frozen=True)
class FaceStyle:
    """The parameters of a set of drawn faces.

    Lengths are in head half-heights unless a comment says otherwise; rates are
    probabilities; `largest` values bound a uniform draw.

    Attributes:
      name: of the style.
      outline: width of the dark line around every part; 0 draws none.
      shading: strength of the shade on the side away from the light, in [0, 1].
      hatching: shade by strokes instead of tone.
      saturation: factor of every colour's saturation.
      eye_scale: factor of the size of the eyes.
      iris: coloured irises with a highlight; False draws black dots.
      shoulders: whether neck and clothes are drawn.
      scale: least and largest head half-height, as a fraction of the picture's side.
      centre: mean x and y of the head, as fractions of the side.
      offset: largest shift from `centre`, as a fraction of the side.
      roll, yaw, pitch: largest head turns in degrees.
      backgrounds: kinds of background drawn, of BACKGROUNDS.
      light: largest change of brightness from the centre to the edge.
      exposure: largest change of the whole picture's brightness.
      tint: largest change of one colour channel against the others.
      blur: largest Gaussian sigma, as a fraction of the side.
      noise: largest standard deviation of the pixel noise, in grey levels of 255.
      occlusion_rate: of a hand, bar, scarf or brim before the face.
      glasses_rate, beard_rate, hat_rate: of each.
      strength: least and largest strength of an expression that is not neutral.
      spread: standard deviation of each expression feature within its class.
      blend: largest share of a second expression mixed into the first.
    """

    name: str = "soft"
    outline: float = 0.0
    shading: float = 0.30
    hatching: bool = False
    saturation: float = 1.0
    eye_scale: float = 1.0
    iris: bool = True
    shoulders: bool = True
    scale: tuple[float, float] = (0.40, 0.46)
    centre: tuple[float, float] = (0.5, 0.5)
    offset: float = 0.025
    roll: float = 10.0
    yaw: float = 18.0
    pitch: float = 10.0
    backgrounds: tuple[str, ...] = ("plain", "gradient", "blobs", "stripes")
    light: float = 0.25
    exposure: float = 0.15
    tint: float = 0.07
    blur: float = 0.013
    noise: float = 6.0
    occlusion_rate: float = 0.07
    glasses_rate: float = 0.18
    beard_rate: float = 0.15
    hat_rate: float = 0.12
    strength: tuple[float, float] = (0.6, 1.1)
    spread: float = 0.12
    blend: float = 0.35

    def __post_init__(self):
        for field in ("scale", "centre", "backgrounds", "strength"):
            object.__setattr__(self, field, tuple(getattr(self, field)))
        unknown = set(self.backgrounds) - set(BACKGROUNDS)
        if unknown or not self.backgrounds:
            raise UserError(
                f"Face style {self.name!r} has backgrounds {self.backgrounds}; "
                f"expected some of {BACKGROUNDS}"
            )
        for field in ("occlusion_rate", "glasses_rate", "beard_rate", "hat_rate"):
            if not 0.0 <= getattr(self, field) <= 1.0:
                raise UserError(
                    f"Face style {self.name!r} has {field} {getattr(self, field)}; "
                    "expected a probability in [0, 1]"
                )


SOFT = FaceStyle()

INK = FaceStyle(
    name="ink",
    outline=0.045,
    shading=0.35,
    hatching=True,
    saturation=0.45,
    eye_scale=0.92,
    iris=False,
    shoulders=False,
    scale=(0.40, 0.50),
    centre=(0.5, 0.54),
    offset=0.08,
    roll=20.0,
    backgrounds=("plain", "dots", "stripes"),
    light=0.20,
    exposure=0.15,
    tint=0.14,
)

STYLES = {style.name: style for style in (SOFT, INK)}


def face_style(name: str) -> FaceStyle:
    """The style of this name.

    Raises:
      UserError: no such style.
    """
    if name not in STYLES:
        raise UserError(
            f"Unknown face style {name!r}; known: {', '.join(sorted(STYLES))}"
        )
    return STYLES[name]
