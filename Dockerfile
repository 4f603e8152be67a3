# docker build -t gcmock . && docker run --rm --user "$(id -u):$(id -g)" -v "$PWD:/data" gcmock build stars.fits -o mock.parquet
#
# Runs with a root file system that is read only (docker run --read-only --tmpfs /var/cache/gcmock:mode=1777):
# nothing is written but results in /data and compiled kernels in NUMBA_CACHE_DIR.
FROM python:3.12-slim AS wheel
WORKDIR /source
COPY pyproject.toml README.md LICENSE ./
COPY src ./src
RUN pip wheel --no-cache-dir --no-deps --wheel-dir /wheels .

FROM python:3.12-slim
ARG EXTRAS=fetch
COPY --from=wheel /wheels /tmp/wheels
RUN wheel=$(echo /tmp/wheels/gcmock-*.whl) \
    && pip install --no-cache-dir "${wheel}[${EXTRAS}]" \
    && rm -r /tmp/wheels \
    && useradd --create-home --uid 1000 gcmock \
    && mkdir -p /data /var/cache/gcmock \
    && chown gcmock /data \
    && chmod 1777 /var/cache/gcmock
ENV NUMBA_CACHE_DIR=/var/cache/gcmock \
    MPLCONFIGDIR=/var/cache/gcmock/matplotlib \
    XDG_CACHE_HOME=/var/cache/gcmock \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1
USER gcmock
WORKDIR /data
ENTRYPOINT ["gcmock"]
CMD ["--help"]
