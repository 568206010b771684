# The pinned dependencies and Roster itself, in a virtual environment.
FROM python:3.13-slim AS build
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

# The image has the environment only, without build tools and without a local engine.
FROM python:3.13-slim
ENV PATH=/opt/roster/bin:$PATH PYTHONUNBUFFERED=1
COPY --from=build /opt/roster /opt/roster
USER 65534:65534
WORKDIR /
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s \
    CMD ["python", "-c", "from urllib.request import urlopen; urlopen('http://127.0.0.1:8080/health/live', timeout=2)"]
ENTRYPOINT ["roster"]
CMD ["serve", "--host", "0.0.0.0"]
