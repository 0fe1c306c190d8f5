"""Where each expression lies in the plane of valence and arousal: one stated table.

Six rows are the mean pleasure and arousal that people gave to the words happy, sad,
surprised, fearful, disgusted and angry, on a scale from -1 to 1: Russell and Mehrabian,
Evidence for a three-factor theory of emotions, Journal of Research in Personality 11,
1977, as widely quoted (fear and joy are quoted in two variants). Neutral is the middle
by definition. Contempt is ours, for want of a published number: beside disgust and a
little milder.

Russell's circumplex (1980) arranges the same words around a circle but prints no table.
"""

from collections.abc import Sequence

from kfer import tasks as tasks_lib

CIRCUMPLEX = {
    "neutral": (0.0, 0.0),
    "happy": (0.81, 0.51),
    "sad": (-0.63, -0.27),
    "surprise": (0.40, 0.67),
    "fear": (-0.64, 0.60),
    "disgust": (-0.60, 0.35),
    "anger": (-0.51, 0.59),
    "contempt": (-0.50, 0.30),
}


def mean(shares: Sequence[float]) -> tuple[float, float]:
    """(valence, arousal): the classes' places weighted by their shares.

    Args:
      shares: of kfer's first expressions, in their order; they sum to 1.
    """
    names = tasks_lib.EXPRESSIONS[: len(shares)]
    places = [CIRCUMPLEX[name] for name in names]
    valence, arousal = (
        sum(share * place[i] for share, place in zip(shares, places, strict=True))
        for i in range(2)
    )
    return valence, arousal
