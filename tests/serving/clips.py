"""Small videos for tests."""

import cv2
import numpy as np


def write(path, images, fps=25, codec="mp4v") -> str:
    """A video of pictures, uint8 [H, W, 3] RGB."""
    height, width = images[0].shape[:2]
    code = cv2.VideoWriter_fourcc(*codec)
    writer = cv2.VideoWriter(str(path), code, fps, (width, height))
    for image in images:
        writer.write(cv2.cvtColor(image, cv2.COLOR_RGB2BGR))
    writer.release()
    return str(path)


def greys(count, side=64) -> list[np.ndarray]:
    """Frame i is grey 10 i."""
    return [np.full((side, side, 3), 10 * i, np.uint8) for i in range(count)]


def cut(path, target, share=0.5) -> str:
    """The first bytes of a video."""
    with open(path, "rb") as file:
        data = file.read()
    with open(target, "wb") as file:
        file.write(data[: int(share * len(data))])
    return str(target)


class Camera:
    """In the place of cv2.VideoCapture: pictures, then none."""

    def __init__(self, images):
        self._images = list(images)
        self.released = False

    def isOpened(self):
        return bool(self._images)

    def get(self, what):
        return 0.0

    def grab(self):
        self._last = self._images.pop(0) if self._images else None
        return self._last is not None

    def retrieve(self):
        return True, cv2.cvtColor(self._last, cv2.COLOR_RGB2BGR)

    def release(self):
        self.released = True
