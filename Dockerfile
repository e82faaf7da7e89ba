# One image for every service; the command says which.
FROM python:3.11-slim-bookworm
WORKDIR /opt/darkroom
# git and ssh fetch repositories of handlers, bubblewrap confines their code.
RUN apt-get update && apt-get install --yes --no-install-recommends bubblewrap ca-certificates git openssh-client \
    && rm -rf /var/lib/apt/lists/*
RUN pip install --no-cache-dir uv
COPY requirements.lock pyproject.toml README.md ./
COPY protos protos
COPY services services
COPY clients clients
COPY models models
RUN uv pip install --system --no-cache --require-hashes -r requirements.lock \
    && uv pip install --system --no-cache --no-deps --no-build-isolation .  ./services/dataset_handlers \
    && useradd --create-home darkroom && mkdir /var/lib/darkroom && chown darkroom /var/lib/darkroom
USER darkroom
CMD ["python", "-m", "dataset_registry"]
