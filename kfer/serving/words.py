"""Valence and arousal in words, by two stated tables.

AFFECTS: the eight affects of Russell, A circumplex model of affect, Journal of
Personality and Social Psychology 39(6), 1980, by their angles in the plane: pleasure 0,
excitement 45, arousal 90, distress 135, displeasure 180, depression 225, sleepiness
270, relaxation 315 degrees from the axis of valence towards that of arousal. They have
no distance there; that a weak affect is 'neutral' is ours.

kfer.data.circumplex.CIRCUMPLEX: where the expressions lie, Russell and Mehrabian 1977.
"""

import math

from kfer.data.circumplex import CIRCUMPLEX

AFFECTS = (
    "pleasure",
    "excitement",
    "arousal",
    "distress",
    "displeasure",
    "depression",
    "sleepiness",
    "relaxation",
)
NEUTRAL = "neutral"
# Nearer to the middle than this, on the scale from -1 to 1, there is no affect to name.
WEAK = 0.1
QUADRANTS = {
    (True, True): "pleasant and active",
    (False, True): "unpleasant and active",
    (False, False): "unpleasant and calm",
    (True, False): "pleasant and calm",
}


def quadrant(valence: float, arousal: float) -> str:
    """A word of QUADRANTS; the axes count as pleasant and as active, the middle as
    NEUTRAL."""
    if not valence and not arousal:
        return NEUTRAL
    return QUADRANTS[valence >= 0, arousal >= 0]


def affect(valence: float, arousal: float) -> str:
    """The word of AFFECTS whose direction is nearest, NEUTRAL within WEAK of 0."""
    if math.hypot(valence, arousal) < WEAK:
        return NEUTRAL
    degrees = math.degrees(math.atan2(arousal, valence))
    return AFFECTS[round(degrees / 45) % 8]


def expression(valence: float, arousal: float) -> str:
    """The expression of CIRCUMPLEX that lies nearest; the first of equals."""
    return min(
        CIRCUMPLEX, key=lambda name: math.dist(CIRCUMPLEX[name], (valence, arousal))
    )


def describe(valence: float, arousal: float) -> dict[str, str]:
    """{'quadrant', 'affect', 'expression'}, see the functions of these names.

    Args:
      valence, arousal: from -1 to 1.
    """
    return {
        "quadrant": quadrant(valence, arousal),
        "affect": affect(valence, arousal),
        "expression": expression(valence, arousal),
    }
