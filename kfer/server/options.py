"""What a server takes, and where it listens."""

import dataclasses

from kfer.errors import UserError
from kfer.faces import detectors, framing
from kfer.images import decode


@dataclasses.dataclass(frozen=True)
class ServerOptions:
    """The limits of one server. Who asks for more is refused, nobody else is.

    Attributes:
      name: of the model in its address; '' for the last part of its folder.
      framing: how faces were cut for the model, of kfer.faces.framing; '' for what its
        folder says.
      detector: finds the faces of POST /faces; '' for what its folder says.
      max_body_bytes: of one request.
      max_held_bytes: of all requests that are read or answered at once.
      max_pixels: of one picture.
      max_pictures: of one request.
      max_queue: pictures of all requests that are answered at once.
      max_batch: pictures the network sees at once.
      max_connections: open at once.
      request_seconds: from the first byte of a request to its answer.
      stop_seconds: that requests get to end in when the server is stopped.
      poll_seconds: between looks for a new version.
      decode_threads: that turn bytes into pictures.

    Raises:
      UserError: a limit leaves nothing to answer, or there is no such framing.
    """

    name: str = ""
    framing: str = ""
    detector: str = ""
    max_body_bytes: int = 32 * 2**20
    max_held_bytes: int = 256 * 2**20
    max_pixels: int = 50_000_000
    max_pictures: int = 256
    max_queue: int = 1024
    max_batch: int = 64
    max_connections: int = 512
    request_seconds: float = 30.0
    stop_seconds: float = 30.0
    poll_seconds: float = 2.0
    decode_threads: int = 2

    def __post_init__(self):
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            if not isinstance(value, str) and value <= 0:
                raise UserError(f"--{field.name}={value} must be above 0")
        for name, known in (
            ("framing", framing.FRAMINGS),
            ("detector", tuple(detectors.DETECTORS)),
        ):
            if (value := getattr(self, name)) not in ("", *known):
                raise UserError(f"No {name} {value!r}; known: {', '.join(known)}")
        if self.max_held_bytes < self.max_body_bytes:
            raise UserError(
                f"--max_held_bytes={self.max_held_bytes} is less than one request may "
                f"have, --max_body_bytes={self.max_body_bytes}"
            )

    @property
    def picture_limits(self) -> decode.Limits:
        """What of a picture is decoded at all."""
        return decode.Limits(self.max_pixels, self.max_body_bytes)
