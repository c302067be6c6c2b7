# The image of tts-toolkit. docs/docker.md says how to build and use it.
#
# The base's torch, CUDA libraries, triton and numpy are used as they are: not downloaded, not
# replaced, not shadowed. docker/guard.py proves it or fails the build; no second recipe follows when
# the first one fails.

ARG BASE_IMAGE=nvcr.io/nvidia/pytorch:26.01-py3
ARG UV_IMAGE=ghcr.io/astral-sh/uv:0.13.9

FROM ${UV_IMAGE} AS uv


# Our own wheel, in a stage of its own: what it is built with stays out of the image.
FROM ${BASE_IMAGE} AS wheel
ARG UV_PYTHON_DOWNLOADS=never
# "true" for a builder behind a proxy that signs with a certificate of its own.
ARG UV_SYSTEM_CERTS=false
COPY --from=uv /uv /usr/local/bin/uv
WORKDIR /source
COPY pyproject.toml README.md LICENSE ./
COPY src ./src
RUN uv build --no-cache --wheel --out-dir /wheel


FROM ${BASE_IMAGE}
# Of pyproject.toml. Without "ja" Japanese can't be said; "zh" would have WeTextProcessing read
# English as well, otherwise than an installation without it does.
ARG EXTRAS="ja modelscope server"

# uv installs into the system's Python, which Debian and Ubuntu mark as theirs, and brings no other.
ARG UV_SYSTEM_PYTHON=1
ARG UV_BREAK_SYSTEM_PACKAGES=1
ARG UV_PYTHON_DOWNLOADS=never
ARG UV_LINK_MODE=copy
ARG UV_COMPILE_BYTECODE=1
ARG UV_CACHE_DIR=/var/cache/uv
ARG UV_SYSTEM_CERTS=false

# The guard stays in the image, with what it wrote down, so that anybody can ask it again.
WORKDIR /opt/tts-toolkit
COPY docker/guard.py ./
RUN python3 guard.py before base.json

# What we need, exactly as locked. --prune leaves the base's own to the base, with all that only they
# need, CUDA's wheels above all; --no-deps keeps them from coming back as somebody's requirement.
# --locked refuses a lock that pyproject.toml has outgrown. Pynini's libraries come with the notes of
# a debugger, 0.6 GB that nothing here reads.
COPY pyproject.toml uv.lock ./
RUN --mount=type=bind,from=uv,source=/uv,target=/usr/local/bin/uv \
    --mount=type=cache,target=/var/cache/uv \
    set -- \
    && for extra in ${EXTRAS}; do set -- "$@" --extra "${extra}"; done \
    && uv export --quiet --locked --no-emit-project --no-default-groups "$@" \
        --prune torch --prune torchvision --prune triton --prune numpy \
        --prune setuptools --prune packaging \
        --output-file requirements.txt \
    && uv pip install --no-deps --require-hashes -r requirements.txt \
    && find "$(python3 -c 'import sysconfig; print(sysconfig.get_path("platlib"))')" \
        '(' -path '*/pynini.libs/*' -o -name '_pynini.*.so' -o -name '_pywrapfst.*.so' ')' \
        -exec strip --strip-debug '{}' +

COPY --from=wheel /wheel ./wheel
RUN --mount=type=bind,from=uv,source=/uv,target=/usr/local/bin/uv \
    uv pip install --no-cache --no-deps ./wheel/*.whl

# A user of ours, and folders that any other user (docker run --user) can write to as well. A model
# or a voice goes where a volume can keep it; grammars stay in the image.
RUN groupadd --gid 10001 tts-toolkit \
    && useradd --uid 10001 --gid 10001 --no-log-init --no-create-home \
        --home-dir /home/tts-toolkit --shell /usr/sbin/nologin tts-toolkit \
    && install -d -m 1777 -o tts-toolkit -g tts-toolkit /home/tts-toolkit /models /data \
    && install -d -m 1777 /var/cache/numba /var/lib/tts-toolkit /var/lib/tts-toolkit/voices \
    && ln -s /models /var/lib/tts-toolkit/models

# The grammars that write numbers out take minutes to compile, which a one-shot container would pay
# every time. They are root's and nobody else can write to them, so every user may trust them. Where
# NeMo does not exist (not x86_64), there are none. The cache serves the next build on this machine;
# its files are named for the versions that made them.
RUN --mount=type=cache,target=/var/cache/grammars \
    TTS_TOOLKIT_HOME=/var/cache/grammars tts-toolkit warm --lang en --lang zh --lang es \
    && install -d /var/cache/grammars/grammars \
    && cp -R /var/cache/grammars/grammars /var/lib/tts-toolkit/grammars \
    && chmod -R u=rwX,go=rX /var/lib/tts-toolkit/grammars

# It imports, and the base is as it was.
RUN python3 -c 'import torch, tts_toolkit; from transformers import SeamlessM4TFeatureExtractor' \
    && set -- \
    && for extra in ${EXTRAS}; do set -- "$@" --extra "${extra}"; done \
    && python3 guard.py after base.json --project tts-toolkit "$@"

COPY LICENSE docker/NOTICE /licenses/tts-toolkit/
COPY --chmod=755 docker/entrypoint.sh ./

# A user without a name has no home and no name to ask the system for.
ENV HOME=/home/tts-toolkit \
    USER=tts-toolkit \
    XDG_CACHE_HOME=/home/tts-toolkit/.cache \
    NUMBA_CACHE_DIR=/var/cache/numba \
    TTS_TOOLKIT_HOME=/var/lib/tts-toolkit \
    TTS_TOOLKIT_MODEL=indextts-2.5 \
    HIBARI_HOME=/models/hibari

ARG BASE_IMAGE
ARG VERSION=0.1.0
LABEL org.opencontainers.image.title="tts-toolkit" \
      org.opencontainers.image.description="Scripts into speech in bulk" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.base.name="${BASE_IMAGE}" \
      org.opencontainers.image.licenses="Apache-2.0 AND LicenseRef-Bilibili-IndexTTS AND LicenseRef-NVIDIA-Deep-Learning-Container"

VOLUME ["/models"]
WORKDIR /data
USER 10001:10001
EXPOSE 5124
# No HEALTHCHECK: most containers do one job and have no server. compose.yaml has it for its server.
ENTRYPOINT ["/opt/tts-toolkit/entrypoint.sh"]
CMD ["--help"]
