"""What a crowd's labels tell of its people, with how much is known of each."""

from typing import NamedTuple

import numpy as np
from scipy import sparse, spatial, stats
from scipy.cluster import hierarchy

from kfer.crowd import confusion
from kfer.crowd.dawid_skene import Consensus
from kfer.crowd.triples import Triples

# An interval of a share wider than this says nothing yet.
TOO_WIDE = 0.3
# People further apart are of different minds: of their labels of a picture of the
# crowd's mix of classes, this share would fall on other classes.
APART = 0.2
MOST_CLUSTERED = 1000
_STEPS = 50  # of EM for one number each
_TINY = 1e-300


class Shares(NamedTuple):
    """How often each annotator is right, [A] each."""

    compared: np.ndarray  # labels that something else can be said of
    share: np.ndarray  # of these right; NaN without one
    low: np.ndarray  # Wilson's interval, 95 %
    high: np.ndarray


class Spread(NamedTuple):
    """How far annotators differ beside what chance makes of names dealt at random."""

    ratio: float  # 1 is chance: standard deviations of agreement
    probability: float  # of a spread as wide if the names meant nothing
    annotators: int  # compared
    labels: int  # theirs


def right_by_truth(triples: Triples, truth: np.ndarray) -> Shares:
    """Shares of labels that equal the truth.

    Args:
      triples: L labels of N items by A annotators.
      truth: int64 [N], below 0 where unknown.
    """
    known = truth[triples.item] >= 0
    said = triples.where(known)
    hits = said.where(said.label == truth[said.item]).of_annotator()
    compared = said.of_annotator()
    with np.errstate(invalid="ignore"):
        share = hits / np.where(compared, compared, np.nan)
    return Shares(compared, share, *wilson(hits, compared))


def right_by_others(triples: Triples, found: Consensus) -> Shares:
    """Each annotator's likeliest rate of right labels, judged by the others.

    The consensus is taken without the label that it judges: an annotator's own vote
    would flatter them, and one who is alone on a picture is not judged by it at all.
    If the others make a label right with probability q, it is given with probability
    p q + (1 - p) (1 - q) / (K - 1) by one who is right at rate p; the rate is the
    maximum of this likelihood, and the interval has the labels that certain judges
    would need to tell as much (Fisher's information).

    Args:
      triples: L labels of N items by A annotators.
      found: their consensus.
    """
    shared = triples.of_item()[triples.item] > 1
    said = triples.where(shared)
    tables = found.confusions[said.annotator, :, said.label]  # [L, K]
    with np.errstate(divide="ignore", invalid="ignore"):
        others = found.posterior[said.item] / tables
    # A class that only the label itself rules out is 0 / 0; it stays out.
    others = confusion.normalised(np.nan_to_num(others, nan=0.0, posinf=0.0))
    right = np.take_along_axis(others, said.label[:, None], axis=1)[:, 0]
    return _likeliest(said, right)


def right_by_posterior(triples: Triples, posterior: np.ndarray) -> Shares:
    """Each annotator's likeliest rate of right labels, as right_by_others has it.

    Args:
      triples: L labels of N items by A annotators.
      posterior: of the truth [N, K], from something that knows none of these labels.
    """
    return _likeliest(triples, posterior[triples.item, triples.label])


def _likeliest(said: Triples, right: np.ndarray) -> Shares:
    """The rates that make `right` [L], each a probability, likeliest; by EM."""
    who, size = said.annotator, said.num_annotators
    wrong = (1.0 - right) / max(said.num_classes - 1, 1)
    compared = said.of_annotator()
    start = right.mean() if len(right) else 0.5
    rate = np.full(size, start)
    for _ in range(_STEPS):
        p = rate[who]
        hits = p * right / np.maximum(p * right + (1.0 - p) * wrong, _TINY)
        total = np.bincount(who, hits, minlength=size)
        # One label more at the crowd's rate keeps it off 0 and 1.
        rate = (total + start) / (compared + 1.0)
    p = rate[who]
    slope = (right - wrong) / np.maximum(p * right + (1.0 - p) * wrong, _TINY)
    information = np.bincount(who, slope**2, minlength=size) * rate * (1.0 - rate)
    told = np.minimum(information, compared)
    low, high = wilson(rate * told, told)
    return Shares(compared, np.where(compared, rate, np.nan), low, high)


def wilson(hits: np.ndarray, count: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The 95 % interval of a share (E. B. Wilson, J. Am. Stat. Assoc. 22, 1927).

    Args:
      hits: [A], whole or expected.
      count: trials [A], whole or expected.

    Returns:
      Lower and upper ends [A]; 0 and 1 without a trial.
    """
    z = stats.norm.ppf(0.975)
    count = np.asarray(count, np.float64)
    share = hits / np.where(count > 0, count, 1.0)
    centre = (share * count + z * z / 2.0) / (count + z * z)
    spread = np.sqrt(count * share * (1.0 - share) + z * z / 4.0) * z / (count + z * z)
    return np.maximum(centre - spread, 0.0), np.minimum(centre + spread, 1.0)


def says_enough(shares: Shares) -> np.ndarray:
    """Whose share is known well enough to speak of it, bool [A]."""
    return (shares.high - shares.low <= TOO_WIDE) & (shares.compared > 0)


def clusters(found: Consensus, labels: np.ndarray, chosen: np.ndarray) -> np.ndarray:
    """Groups of people who say alike of the same truth, int64 [A]; -1 outside.

    Average linkage (scipy.cluster.hierarchy) of the share of labels on which two would
    differ, of pictures in the crowd's mix of classes; groups end at APART.

    Args:
      found: the consensus, whose matrices are compared.
      labels: of each annotator, [A]; the MOST_CLUSTERED of most labels are grouped.
      chosen: bool [A], whom to group.

    Returns:
      0 for the largest group, and so on.
    """
    groups = np.full(len(labels), -1)
    who = np.flatnonzero(chosen)
    who = np.sort(who[np.argsort(-labels[who], kind="stable")][:MOST_CLUSTERED])
    if len(who) < 2:
        groups[who] = 0
        return groups
    rows = found.confusions[who] * found.prior[:, None]
    apart = spatial.distance.pdist(rows.reshape(len(who), -1), "cityblock") / 2.0
    tree = hierarchy.linkage(apart, "average")
    names = hierarchy.fcluster(tree, APART, "distance")
    order = np.argsort(-np.bincount(names)[1:], kind="stable")
    rank = np.empty(len(order), np.int64)
    rank[order] = np.arange(len(order))
    groups[who] = rank[names - 1]
    return groups


def spread(triples: Triples, least: int = 5) -> Spread | None:
    """Whether names tell people apart: the spread of their agreement against chance.

    Each label agrees with a share of the others of its picture. If names were dealt at
    random among the labels of each picture, an annotator's sum of these, less the
    pictures' means, has a variance that follows from the pictures alone; the squares
    divided by it average 1 then, and their mean is chi-squared over its `_freedom`.

    Args:
      triples: L labels of N items by A annotators.
      least: labels that an annotator must share with others to be compared.

    Returns:
      None where fewer than two can be compared.
    """
    votes, size = triples.votes(), triples.of_item()
    many = size[triples.item]
    shared = many > 1
    own = votes[triples.item, triples.label]
    agrees = np.where(shared, (own - 1.0) / np.maximum(many - 1.0, 1.0), 0.0)
    items = triples.num_items
    mean = np.bincount(triples.item, agrees, minlength=items) / np.maximum(size, 1)
    off = agrees - mean[triples.item]
    variance = np.bincount(triples.item, off**2, minlength=items) / np.maximum(size, 1)
    people = triples.num_annotators
    total = np.bincount(triples.annotator, off, minlength=people)
    by_chance = np.bincount(triples.annotator, variance[triples.item], minlength=people)
    count = np.bincount(triples.annotator[shared], minlength=people)
    kept = (count >= least) & (by_chance > 0)
    if kept.sum() < 2:
        return None
    mean_square = np.mean(total[kept] ** 2 / by_chance[kept])
    freedom = _freedom(triples, variance, by_chance, kept)
    return Spread(
        float(np.sqrt(mean_square)),
        float(stats.chi2.sf(mean_square * freedom, freedom)),
        int(kept.sum()),
        int(count[kept].sum()),
    )


def _freedom(
    triples: Triples, variance: np.ndarray, by_chance: np.ndarray, kept: np.ndarray
) -> float:
    """Degrees of freedom of the mean square of the people kept.

    What is summed adds up to 0 on each picture, so two people's sums have the
    covariance -v / (m - 1) for each picture of m labels and variance v that both are
    on. The mean of n squares of normal numbers with correlations r has the variance of
    one with n^2 / sum r^2 degrees of freedom (F. E. Satterthwaite, Biometrics Bulletin
    2, 1946): n - 1, as in Friedman's test, where everybody labels every picture.

    Args:
      triples: L labels of N items by A annotators.
      variance: of what is summed, of each item, [N].
      by_chance: variance of each annotator's sum, [A].
      kept: bool [A].
    """
    root = np.sqrt(variance / np.maximum(triples.of_item() - 1, 1))
    scale = np.sqrt(np.where(kept, by_chance, 1.0))
    said = triples.where(kept[triples.annotator])
    shares = root[said.item] / scale[said.annotator]
    size = triples.num_items, triples.num_annotators
    table = sparse.csr_matrix((shares, (said.item, said.annotator)), size)
    products = table.T @ table  # -r, save on the diagonal
    off = products.power(2).sum() - np.sum(products.diagonal() ** 2)
    return float(kept.sum() ** 2 / (kept.sum() + off))
