"""The count of kfer.models.flops as the documents show it."""

from kfer.models import flops
from kfer.settings.config import ExperimentConfig


def table(config: ExperimentConfig) -> str:
    """Every line as a Markdown table, in millions of products for one image."""
    rows = [
        f"### {config.name}: {config.image_size} px, recipe {config.recipe.name}",
        "",
        "| net | layer | one pass | plain | forward | to inputs | to weights | step "
        "| plain step |",
        "| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    counted = flops.lines(config)
    for line in counted:
        numbers = (line.forward, line.inputs, line.weights)
        cells = [_millions(line.products), _millions(line.plain), *map(str, numbers)]
        cells += [_millions(line.total), _millions(line.plain_total)]
        rows.append(f"| {line.net} | {line.name} | {' | '.join(cells)} |")
    norms = sum(line.norm_total for line in counted) / config.batch_size
    share = _millions(norms)
    rows.append(f"| all | spectral norms / {config.batch_size} | | | | | | {share} | |")
    exact, plain = (flops.gflop_per_image(config, form) for form in (False, True))
    rows += [
        "",
        f"Together {exact:.2f} GFLOP for an image, {plain:.2f} in the plain form "
        f"({plain / exact:.2f} times as many).",
    ]
    return "\n".join(rows)


def _millions(products: float) -> str:
    return f"{products / 1e6:,.3f}"
