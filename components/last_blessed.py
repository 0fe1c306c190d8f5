"""The model to beat: the last blessed one that is not the one being judged."""

from tfx.dsl.components.common import resolver

BLESSED = "blessed"
CURRENT_MODEL_ID = "current_model_id"


class LastOtherBlessed(resolver.ResolverStrategy):
    """Like TFX's LatestBlessedModelStrategy, which would give a cached model itself.

    So a run in which nothing changed is judged against the same model as before and
    comes from the cache. Inputs: 'model', 'blessing' (all of the pipeline) and
    'current' (the model being judged).
    """

    def resolve_artifacts(self, store, input_dict: dict) -> dict:
        """The latest blessed model besides the current one, or none."""
        del store
        current = {artifact.id for artifact in input_dict["current"]}
        blessings = {
            artifact.get_int_custom_property(CURRENT_MODEL_ID): artifact
            for artifact in input_dict["blessing"]
            if artifact.get_int_custom_property(BLESSED) == 1
        }
        models = [
            artifact
            for artifact in input_dict["model"]
            if artifact.id in blessings and artifact.id not in current
        ]
        latest = sorted(models, key=lambda artifact: artifact.id)[-1:]
        return {
            "model": latest,
            "blessing": [blessings[artifact.id] for artifact in latest],
            "current": input_dict["current"],
        }
