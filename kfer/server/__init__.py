"""A model behind HTTP: TensorFlow Serving's REST calls, faces of a photo, a page."""
