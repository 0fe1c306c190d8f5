"""A prepared data set in words."""

from kfer.data import manifest
from kfer.data.dataset import Dataset


def describe(dataset: Dataset) -> str:
    """A data set in words and tables."""
    size = dataset.image_size or "various"
    lines = [
        f"{dataset.name} in {dataset.root}",
        f"made by {dataset.command or 'unknown'} on {dataset.created}",
        f"pictures: {dataset.image_format}, {size} px",
        f"content hash: {dataset.content_hash}",
    ]
    for split, info in dataset.splits.items():
        lines += ["", f"{split}: {info.num_records} examples"]
        lines += _class_lines(dataset, split)
        noise = dataset.noise.get(split, {})
        lines += [
            f"  {column}: {manifest.noise_text(row)}" for column, row in noise.items()
        ]
    rejected = [f"  {reason}: {n}" for reason, n in dataset.rejected.items()]
    return "\n".join([*lines, "", "set aside:", *(rejected or ["  none"])])


def _class_lines(dataset: Dataset, split: str) -> list[str]:
    """One line a feature of the split: how many values, and how many of each class."""
    info, lines = dataset.splits[split], []
    for prefix, columns in (
        ("label/", dataset.columns),
        ("clean/", dataset.clean_columns),
    ):
        for name, column in columns.items():
            counts = info.class_counts.get(prefix + name, ())
            names = column.classes or column.dimensions
            classes = (
                zip(names, counts, strict=True) if counts else ((n,) for n in names)
            )
            text = ", ".join(" ".join(map(str, pair)) for pair in classes)
            lines.append(
                f"  {prefix}{name}: {info.given.get(prefix + name, 0)} ({text})"
            )
    return lines
