# The base of every stage. A tag moves: `make image-base` prints it with its present digest, for
# `make image BASE=...`, so that a release can be built again from the same base.
ARG BASE=docker.io/library/python:3.13-slim

# The pinned dependencies and Roster itself, in a virtual environment without what installs them.
FROM ${BASE} AS build
ENV PATH=/opt/roster/bin:$PATH PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
RUN python -m venv /opt/roster
WORKDIR /src
COPY requirements/run.txt requirements/run.txt
RUN pip install -q --require-hashes -r requirements/run.txt
COPY pyproject.toml README.md LICENSE ./
COPY flask_pynamodb flask_pynamodb
COPY models models
COPY api api
COPY web web
COPY roster roster
RUN pip install -q --no-deps --no-build-isolation .
# Without what has installed it, definitions of AWS services that are not called, the Swagger UI of
# RESTX, which is not served, the languages of Pygments, which only tracebacks of Rich use, and tests:
# 40 of 155 MB. The definitions of sts, sso and signin are for credentials.
RUN pip uninstall -q -y hatchling editables pathspec pluggy trove-classifiers pip \
    && find /opt/roster/lib/python3.*/site-packages/botocore/data -mindepth 1 -maxdepth 1 -type d \
        ! -name dynamodb ! -name secretsmanager ! -name signin ! -name "sso*" ! -name sts \
        -exec rm -rf {} + \
    && rm -rf /opt/roster/lib/python3.*/site-packages/flask_restx/static \
    && find /opt/roster/lib/python3.*/site-packages/pygments/lexers -type f \
        ! -name "__init__.*" ! -name "_mapping.*" -delete \
    && find /opt/roster/lib -depth -type d -name tests -exec rm -rf {} +

# The software bill of materials of the environment, in CycloneDX 1.6.
FROM ${BASE} AS sbom
ENV PATH=/opt/sbom/bin:$PATH PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
RUN python -m venv /opt/sbom
WORKDIR /src
COPY requirements/sbom.txt requirements/sbom.txt
RUN pip install -q --require-hashes -r requirements/sbom.txt
COPY pyproject.toml pyproject.toml
COPY requirements/run.txt requirements/run.txt
COPY tools/sbom.py tools/sbom.py
COPY tools/pico/package-lock.json tools/pico/package-lock.json
COPY tools/swagger-ui/package-lock.json tools/swagger-ui/package-lock.json
RUN python tools/sbom.py /sbom.cdx.json

# The image has the environment only, without build tools and without a local engine.
FROM ${BASE}
# The base has pip, and in ensurepip a wheel of it.
RUN find / -xdev \( -name pip -o -name "pip[-3]*" -o -name ensurepip \) -prune -exec rm -rf {} +
COPY --from=build /opt/roster /opt/roster
COPY --from=sbom /sbom.cdx.json /usr/share/doc/roster/sbom.cdx.json
ARG VERSION=unknown
ARG REVISION=unknown
LABEL org.opencontainers.image.title="Roster" \
      org.opencontainers.image.description="A users service on Amazon DynamoDB" \
      org.opencontainers.image.licenses="MIT" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
# On a read-only file system Python would try to write its caches at each start.
ENV PATH=/opt/roster/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
USER 65534:65534
WORKDIR /
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s \
    CMD ["python", "-c", "from urllib.request import urlopen; urlopen('http://127.0.0.1:8080/health/live', timeout=2)"]
ENTRYPOINT ["roster"]
CMD ["serve", "--host", "0.0.0.0"]
