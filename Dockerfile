# What `kfer-pipeline compile --image=` and Beam's workers name: kfer with its lock.
# docker build --tag=REGISTRY/kfer:TAG .
FROM python:3.11.7-slim-bookworm
WORKDIR /opt/kfer
COPY requirements/all.lock requirements/
RUN pip install --no-cache-dir "$(grep ^uv== requirements/all.lock)" \
 && uv pip install --system --no-cache --no-deps --requirements requirements/all.lock
COPY . .
RUN uv pip install --system --no-cache --no-deps --no-build-isolation .
