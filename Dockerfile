# syntax=docker/dockerfile:1
# Where images are published, pin the base: --build-arg BASE=python:3.13-slim-trixie@sha256:...
ARG BASE=python:3.13-slim-trixie

FROM ${BASE} AS build
# With the hash seed, and one process in place of many, compiled modules have the same bytes each time
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_ROOT_USER_ACTION=ignore PYTHONHASHSEED=0
WORKDIR /build
RUN python -m venv --without-pip /opt/pcc-job
COPY requirements.lock docker/trim.py ./
RUN pip --python /opt/pcc-job/bin/python install --quiet --require-hashes --no-compile -r requirements.lock \
 && python trim.py /opt/pcc-job/lib/python3*/site-packages \
 && find /opt/pcc-job/bin -type f -delete \
 && python -m compileall -q --invalidation-mode unchecked-hash /opt/pcc-job/lib

FROM build AS code
COPY requirements-image.lock ./
RUN python -m venv /opt/tools \
 && /opt/tools/bin/pip install --quiet --require-hashes -r requirements-image.lock
COPY pyproject.toml README.md LICENSE ./
COPY expectations expectations
COPY job job
ARG SOURCE_DATE_EPOCH=0
RUN /opt/tools/bin/hatchling build -t wheel -d dist \
 && pip --python /opt/pcc-job/bin/python install --quiet --no-deps --no-compile --no-index --root /code dist/*.whl \
 && python -m compileall -q --invalidation-mode unchecked-hash -s /code /code
COPY docker/sbom.py ./
RUN cp -r /code/. / \
 && mkdir -p /code/usr/share/pcc-job /code/models /code/data \
 && PATH=/opt/tools/bin:$PATH python sbom.py /opt/pcc-job > /code/usr/share/pcc-job/sbom.cdx.json

# `docker build --target sbom --output DIR .` puts the list of what is inside beside the image
FROM scratch AS sbom
COPY --from=code /code/usr/share/pcc-job/sbom.cdx.json /

FROM ${BASE}
COPY --from=build /opt/pcc-job /opt/pcc-job
COPY --from=code /code/opt /opt
COPY --from=code /code/usr /usr
COPY --from=code --chown=65532:65532 /code/models /models
COPY --from=code --chown=65532:65532 /code/data /data
ARG REVISION=
ARG VERSION=
LABEL org.opencontainers.image.title="pcc-training-job" \
      org.opencontainers.image.description="Retrains, judges and publishes the privacy-intent classifier" \
      org.opencontainers.image.licenses="MIT" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.version="${VERSION}"
# No file is written but below /tmp and into the store
ENV PATH=/opt/pcc-job/bin:$PATH \
    GIT_REVISION=${REVISION} \
    HOME=/tmp \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1
USER 65532:65532
WORKDIR /
ENTRYPOINT ["pcc-job"]
