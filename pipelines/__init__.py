"""Named pipelines of kfer's components: from raw data to a model that serves."""
