"""Times the 2021 CIFAR-10 training step in plain PyTorch: one JSON line.

python benchmarks/xla/torch_step.py --batch=128 --steps=20 --device=cuda

Written from the description of the 2021 code, to be timed on the card that run_step.py
is timed on: three label sets, two discriminator steps and a generator step on one
forward pass, PyTorch's own layers and spectral norm, no fusing, no compiling. Needs
torch, which is in no environment of kfer's.
"""

import argparse
import json
import sys
import time

import torch
from torch import nn
from torch.nn import functional
from torch.nn.utils import spectral_norm

CLASSES, LABEL_SETS, NOISE, LAMBDA_GAN = 10, 3, 100, 0.8


class Encoder(nn.Module):
    """VGG-16 convolutions; y0's mean and log variance, and all logits."""

    def __init__(self, hidden: int = 512):
        super().__init__()
        layers: list[nn.Module] = []
        channels = 3
        for row in ((64, 64), (128, 128), (256,) * 3, (512,) * 3, (512,) * 3):
            for filters in row:
                layers += [nn.Conv2d(channels, filters, 3, padding=1)]
                layers.append(nn.ReLU(inplace=True))
                channels = filters
            layers.append(nn.MaxPool2d(2))
        self.convolutions = nn.Sequential(*layers)
        self.embedding = nn.Sequential(
            nn.Linear(channels, hidden),
            nn.ReLU(inplace=True),
            nn.Dropout(),
            nn.Linear(hidden, hidden),
            nn.ReLU(inplace=True),
            nn.Dropout(),
        )
        self.mean = nn.Linear(hidden, NOISE)
        self.logvar = nn.Linear(hidden, NOISE)
        self.logits = nn.Linear(hidden, CLASSES * LABEL_SETS)

    def forward(self, image: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        hidden = self.embedding(self.convolutions(image).flatten(1))
        mean, logvar = self.mean(hidden), self.logvar(hidden)
        y0 = mean + torch.exp(0.5 * logvar) * torch.randn_like(mean)
        return y0, self.logits(hidden)


class Decoder(nn.Module):
    """y0 and one-hot labels -> image."""

    def __init__(self):
        super().__init__()
        self.linear = spectral_norm(nn.Linear(NOISE + CLASSES * LABEL_SETS, 512))
        layers: list[nn.Module] = []
        channels = 512
        for filters in (512, 512, 256, 128):
            layers += [
                spectral_norm(nn.ConvTranspose2d(channels, filters, 4, 2, 1)),
                nn.BatchNorm2d(filters),
                nn.ReLU(inplace=True),
            ]
            channels = filters
        layers += [spectral_norm(nn.ConvTranspose2d(channels, 3, 4, 2, 1)), nn.Tanh()]
        self.rest = nn.Sequential(*layers)

    def forward(self, y0: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        hidden = torch.relu_(self.linear(torch.cat([y0, labels], 1)))
        return self.rest(hidden[:, :, None, None])


class Block(nn.Module):
    """Two 3x3 convolutions beside a shortcut."""

    def __init__(self, inputs: int, filters: int, activate: bool, down: bool):
        super().__init__()
        self.activate, self.down = activate, down
        self.conv1 = spectral_norm(nn.Conv2d(inputs, filters, 3, padding=1))
        self.conv2 = spectral_norm(nn.Conv2d(filters, filters, 3, padding=1))
        self.shortcut = spectral_norm(nn.Conv2d(inputs, filters, 1)) if down else None

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        hidden = self.conv1(torch.relu(image) if self.activate else image)
        hidden = self.conv2(torch.relu_(hidden))
        if self.shortcut is None:
            return hidden + image
        pool = functional.avg_pool2d
        return pool(hidden, 2) + pool(self.shortcut(image), 2)


class Attention(nn.Module):
    """Self-attention over positions, gain from 0."""

    def __init__(self, channels: int):
        super().__init__()

        def conv(inputs: int, outputs: int) -> nn.Module:
            return spectral_norm(nn.Conv2d(inputs, outputs, 1, bias=False))

        self.theta, self.phi = (
            conv(channels, channels // 8),
            conv(channels, channels // 8),
        )
        self.g, self.o = conv(channels, channels // 2), conv(channels // 2, channels)
        self.gamma = nn.Parameter(torch.zeros(()))

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        queries = self.theta(image).flatten(2)
        keys = functional.max_pool2d(self.phi(image), 2).flatten(2)
        values = functional.max_pool2d(self.g(image), 2).flatten(2)
        weights = torch.softmax(torch.bmm(queries.transpose(1, 2), keys), -1)
        attended = torch.bmm(values, weights.transpose(1, 2))
        shape = image.shape[0], -1, *image.shape[2:]
        return self.gamma * self.o(attended.reshape(shape)) + image


class Mlp(nn.Module):
    """A linear layer plus four parallel perceptrons on it."""

    def __init__(self, inputs: int, units: int):
        super().__init__()
        self.linear = spectral_norm(nn.Linear(inputs, units))
        self.branches = nn.ModuleList(
            nn.Sequential(
                spectral_norm(nn.Linear(units, units)),
                nn.ReLU(),
                spectral_norm(nn.Linear(units, units)),
            )
            for _ in range(4)
        )

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        outputs = self.linear(inputs)
        hidden = torch.relu(outputs)
        return outputs + sum(branch(hidden) for branch in self.branches)


class Discriminator(nn.Module):
    """Scores of image, y0, each label set, and all together: [B, 6]."""

    def __init__(self):
        super().__init__()
        self.image = nn.Sequential(
            Block(3, 64, activate=False, down=True),
            Attention(64),
            *(
                Block(inputs, filters, activate=True, down=True)
                for inputs, filters in ((64, 128), (128, 256), (256, 512), (512, 512))
            ),
            Block(512, 512, activate=True, down=False),
            nn.ReLU(),
        )
        sizes = [NOISE, *[CLASSES] * LABEL_SETS]
        self.streams = nn.ModuleList(Mlp(size, 512) for size in sizes)
        self.joint = Mlp(512 * (1 + len(sizes)), 1024)
        widths = [512] * (1 + len(sizes)) + [1024]
        self.scores = nn.ModuleList(spectral_norm(nn.Linear(w, 1)) for w in widths)

    def forward(
        self, image: torch.Tensor, y0: torch.Tensor, labels: torch.Tensor
    ) -> torch.Tensor:
        parts = [y0, *labels.chunk(LABEL_SETS, 1)]
        features = [self.image(image).sum((2, 3))]
        features += [mlp(part) for mlp, part in zip(self.streams, parts, strict=True)]
        features.append(self.joint(torch.cat(features, 1)))
        scored = zip(self.scores, features, strict=True)
        return torch.cat([score(feature) for score, feature in scored], 1)


class Trainer:
    """The nets, their optimizers and one step."""

    def __init__(self, device: str):
        self.encoder = Encoder().to(device)
        self.decoder = Decoder().to(device)
        self.discriminator = Discriminator().to(device)
        generator = [*self.encoder.parameters(), *self.decoder.parameters()]
        self.generator_optimizer = torch.optim.Adam(generator, 1e-4)
        self.discriminator_optimizer = torch.optim.Adam(
            self.discriminator.parameters(), 1e-4
        )

    def step(self, image: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """image [B, 3, 32, 32], labels int64 [B, 3]; the generator's loss."""
        y0, logits = self.encoder(image)
        noise = torch.randn_like(y0)
        given = functional.one_hot(labels, CLASSES).flatten(1).float()
        drawn = self.decoder(noise, given)
        ours, theirs = (image, y0, logits), (drawn, noise, given)
        self.discriminator.requires_grad_(True)
        for _ in range(2):
            encoder, decoder = (
                self.discriminator(*(part.detach() for part in group))
                for group in (ours, theirs)
            )
            loss = torch.relu(1 - encoder).mean() + torch.relu(1 + decoder).mean()
            self.discriminator_optimizer.zero_grad()
            loss.backward()
            self.discriminator_optimizer.step()
        self.discriminator.requires_grad_(False)  # no gradients of its weights
        gan = self.discriminator(*ours).mean() - self.discriminator(*theirs).mean()
        classes = sum(
            functional.cross_entropy(part, labels[:, i])
            for i, part in enumerate(logits.chunk(LABEL_SETS, 1))
        )
        loss = LAMBDA_GAN * gan + classes
        self.generator_optimizer.zero_grad()
        loss.backward()
        self.generator_optimizer.step()
        return loss

    def parameters(self) -> dict[str, int]:
        """Numbers of trained values."""
        nets = {
            "encoder": self.encoder,
            "decoder": self.decoder,
            "discriminator": self.discriminator,
        }
        return {n: sum(p.numel() for p in net.parameters()) for n, net in nets.items()}


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--steps", type=int, default=20, help="after 3 that warm up")
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--tf32", action="store_true", help="in products, on a GPU")
    flags = parser.parse_args(argv)
    torch.backends.cuda.matmul.allow_tf32 = flags.tf32
    torch.backends.cudnn.allow_tf32 = flags.tf32
    trainer = Trainer(flags.device)
    image = torch.rand(flags.batch, 3, 32, 32, device=flags.device) * 2 - 1
    shape = (flags.batch, LABEL_SETS)
    labels = torch.randint(CLASSES, shape, device=flags.device)
    seconds = []
    for _ in range(3 + flags.steps):
        began = time.perf_counter()
        loss = trainer.step(image, labels).item()  # waits for the device
        seconds.append(time.perf_counter() - began)
    middle = sorted(seconds[3:])[flags.steps // 2]
    row = {
        "images_per_second": flags.batch / middle,
        "first_step_seconds": seconds[0],
        "loss": loss,
        "batch": flags.batch,
        "tf32": flags.tf32,
        "parameters": trainer.parameters(),
        "torch": torch.__version__,
        "device": torch.cuda.get_device_name() if flags.device != "cpu" else "cpu",
    }
    print(json.dumps(row))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
