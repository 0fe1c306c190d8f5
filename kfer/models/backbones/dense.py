"""Dense layers as PyTorch starts them."""

from tensorflow import keras

from kfer.models.spectral import torch_uniform


def linear(units: int, inputs: int, name: str, bias: bool = True) -> keras.layers.Dense:
    """A dense layer started as PyTorch starts it, bias too."""
    return keras.layers.Dense(
        units,
        kernel_initializer=torch_uniform(inputs),
        use_bias=bias,
        bias_initializer=torch_uniform(inputs),
        name=name,
    )
