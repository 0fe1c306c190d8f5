"""What Prometheus reads at /metrics."""

import prometheus_client as prometheus

# In seconds: from a picture of 32 px to a large photograph.
_SECONDS = (0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0)
_PICTURES = (1, 2, 4, 8, 16, 32, 64, 128)

CONTENT_TYPE = prometheus.CONTENT_TYPE_LATEST


class Metrics:
    """Counts of one server."""

    def __init__(self):
        self.registry = registry = prometheus.CollectorRegistry()
        self.requests = prometheus.Counter(
            "kfer_requests", "Requests answered.", ["call", "status"], registry=registry
        )
        self.seconds = prometheus.Histogram(
            "kfer_request_seconds",
            "From the head of a request to its answer.",
            ["call"],
            buckets=_SECONDS,
            registry=registry,
        )
        self.pictures = prometheus.Counter(
            "kfer_pictures",
            "Pictures by what became of them.",
            ["outcome"],
            registry=registry,
        )
        self.batches = prometheus.Histogram(
            "kfer_batch_pictures",
            "Pictures the network saw at once.",
            buckets=_PICTURES,
            registry=registry,
        )
        self.in_progress = prometheus.Gauge(
            "kfer_pictures_in_progress",
            "Pictures taken, not answered.",
            registry=registry,
        )
        self.held_bytes = prometheus.Gauge(
            "kfer_held_bytes", "Bytes of requests in progress.", registry=registry
        )
        self.version = prometheus.Gauge(
            "kfer_model_version", "Version that answers, 0 for none.", registry=registry
        )
        self.load_failures = prometheus.Counter(
            "kfer_model_load_failures",
            "Versions that failed to load.",
            registry=registry,
        )

    def text(self) -> bytes:
        """All of them in Prometheus' text format."""
        return prometheus.generate_latest(self.registry)
