"""The simulated annotators of drawn faces: confusion matrices and misjudged V/A.

Their habits follow what people and machines mix up on real faces: fear with surprise,
disgust with anger, sad with neutral; happy is rarely mistaken.
"""

import numpy as np

from kfer import tasks
from kfer.data.drawn_faces.expression import CLASSES
from kfer.errors import UserError
from kfer.noise import continuous, flips, transition
from kfer.noise.continuous import Annotator

# Crowd -> mean noise rate of each annotator, where no others are asked for.
RATES = {
    "habits": (0.2, 0.3, 0.4),
    "pairs": (0.2, 0.3, 0.4),
    "sparse": (0.2, 0.25, 0.3, 0.35, 0.4),
    "spammer": (0.2, 0.3, 6 / 7),
    "judges": (0.2, 0.3, 0.4),
}

# Of the crowd `sparse`, how many annotators label a picture.
LABELS_A_PICTURE = 2

# The one class that each is mistaken for in the crowd `pairs`.
PARTNER = {
    "neutral": "sad",
    "happy": "surprise",
    "sad": "neutral",
    "surprise": "fear",
    "fear": "surprise",
    "disgust": "anger",
    "anger": "disgust",
}

# How much noisier than the average each class is.
DIFFICULTY = {
    "neutral": 0.8,
    "happy": 0.5,
    "sad": 1.0,
    "surprise": 0.9,
    "fear": 1.4,
    "disgust": 1.35,
    "anger": 1.05,
}

# True class -> share of each wrong answer; the rest goes to all other classes alike.
HABITS = (
    {  # confuses neighbours
        "neutral": {"sad": 0.5},
        "happy": {"surprise": 0.4},
        "sad": {"neutral": 0.5},
        "surprise": {"fear": 0.5},
        "fear": {"surprise": 0.5},
        "disgust": {"anger": 0.5},
        "anger": {"disgust": 0.5},
    },
    {  # sees sadness and fear everywhere
        "neutral": {"sad": 0.4},
        "happy": {"surprise": 0.3},
        "sad": {"fear": 0.3, "neutral": 0.2},
        "surprise": {"fear": 0.5},
        "fear": {"sad": 0.3, "surprise": 0.2},
        "disgust": {"sad": 0.3, "anger": 0.2},
        "anger": {"disgust": 0.3, "sad": 0.2},
    },
    {  # answers neutral when in doubt
        "neutral": {"happy": 0.3, "sad": 0.2},
        "happy": {"neutral": 0.5},
        "sad": {"neutral": 0.4},
        "surprise": {"happy": 0.2, "fear": 0.2},
        "fear": {"surprise": 0.3, "neutral": 0.2},
        "disgust": {"anger": 0.3, "neutral": 0.2},
        "anger": {"disgust": 0.2, "neutral": 0.3},
    },
)

# Each picture's valence and arousal come from one of these, drawn by lot and not named.
VALENCE_AROUSAL = (
    Annotator(std=0.15, bias=(0.05, -0.05)),
    Annotator(std=0.20, bias=(-0.10, 0.05)),
    Annotator(std=0.25, bias=(0.10, 0.10)),
)

# In the crowd `judges` each annotator gives valence and arousal too: one is off and
# overdoes it, one is noisy, one is fair.
JUDGES = (
    Annotator(std=0.10, bias=(0.25, -0.20), scale=1.3),
    Annotator(std=0.45),
    Annotator(std=0.15, scale=0.9),
)


def rates_of(crowd: str) -> tuple[float, ...]:
    """RATES of a crowd; UserError if there is none of that name."""
    if crowd not in RATES:
        raise UserError(f"Unknown crowd {crowd!r}; known: {', '.join(RATES)}")
    return RATES[crowd]


def value_columns(crowd: str, count: int) -> tuple[str, ...]:
    """The columns of valence and arousal: one, or one of each annotator of `judges`."""
    if crowd != "judges":
        return ("valence_arousal",)
    return tuple(task.name for task in tasks.value_tasks(count))


def judged(truth: tuple[float, float], rng: np.random.Generator) -> tuple[float, ...]:
    """A face's valence and arousal as one of VALENCE_AROUSAL, drawn by lot, sees it."""
    return _said(VALENCE_AROUSAL[int(rng.integers(len(VALENCE_AROUSAL)))], truth, rng)


def judged_by_each(
    count: int, truth: tuple[float, float], rng: np.random.Generator
) -> tuple[tuple[float, ...], ...]:
    """The same as each of `count` JUDGES sees it; beyond three they repeat."""
    return tuple(_said(JUDGES[i % len(JUDGES)], truth, rng) for i in range(count))


def _said(
    judge: Annotator, truth: tuple[float, float], rng: np.random.Generator
) -> tuple[float, ...]:
    return tuple(continuous.annotate(np.array([truth]), judge, rng)[0].tolist())


def wrong_answers(annotator: int) -> np.ndarray:
    """[7, 7]: what annotator 0.. says of each true class when wrong; rows sum to 1.

    Beyond three annotators the habits repeat.
    """
    answers = np.zeros((len(CLASSES), len(CLASSES)))
    for row, name in enumerate(CLASSES):
        shares = HABITS[annotator % len(HABITS)][name]
        answers[row] = (1.0 - sum(shares.values())) / (len(CLASSES) - 1)
        answers[row, row] = 0.0
        for other, share in shares.items():
            answers[row, CLASSES.index(other)] += share
    return answers


def confusion(annotator: int, rate: float) -> np.ndarray:
    """T[true, given], float64 [7, 7], of annotator 0.. at a noise rate.

    Args:
      annotator: whose habits.
      rate: mean over the classes; DIFFICULTY shares it out.

    Raises:
      UserError: a rate so high that the most difficult class would always be mistaken.
    """
    difficulty = np.array([DIFFICULTY[name] for name in CLASSES])
    wrong = flips.check_rate(rate) * difficulty / difficulty.mean()
    if wrong.max() > 1.0:
        raise UserError(
            f"Noise rate {rate:g} is too high for drawn faces, whose classes are not "
            f"equally difficult; at most {difficulty.mean() / difficulty.max():.2f}"
        )
    matrix = np.diag(1.0 - wrong) + wrong[:, None] * wrong_answers(annotator)
    return transition.check(matrix, len(CLASSES))


def matrices(crowd: str, rates: tuple[float, ...]) -> tuple[np.ndarray, ...]:
    """T[true, given], float64 [7, 7], of each annotator of a crowd.

    Args:
      crowd: 'habits', 'judges' and 'sparse', see `confusion`; 'pairs', whose every
        error is the class's PARTNER, alike for all, so that errors agree; 'spammer',
        whose last annotator draws from all classes alike, whatever picture and rate.
      rates: mean noise rate of each.

    Raises:
      UserError: see `confusion`.
    """
    if crowd == "pairs":
        return tuple(_paired(rate) for rate in rates)
    if crowd == "spammer":
        anything = np.full((len(CLASSES), len(CLASSES)), 1 / len(CLASSES))
        return (*(confusion(i, rate) for i, rate in enumerate(rates[:-1])), anything)
    return tuple(confusion(i, rate) for i, rate in enumerate(rates))


def _paired(rate: float) -> np.ndarray:
    matrix = np.eye(len(CLASSES)) * (1.0 - flips.check_rate(rate))
    for row, name in enumerate(CLASSES):
        matrix[row, CLASSES.index(PARTNER[name])] += rate
    return matrix


def who_labels(crowd: str, count: int, rng: np.random.Generator) -> np.ndarray:
    """bool [count]: which annotators label a picture; all, but in a `sparse` crowd."""
    if crowd != "sparse":
        return np.ones(count, bool)
    chosen = rng.choice(count, min(LABELS_A_PICTURE, count), replace=False)
    return np.isin(np.arange(count), chosen)
