"""TFDS builders over prepared data sets; importing this registers their names.

import kfer.data.tfds
tfds.load("kfer_raf", split="train", builder_kwargs={"prepared_dir": DIR})
"""

from kfer.data.tfds.builders import (
    KferAffectnet,
    KferFerplus,
    KferManifest,
    KferPrepared,
    KferRaf,
)

__all__ = ["KferAffectnet", "KferFerplus", "KferManifest", "KferPrepared", "KferRaf"]
