# The rig itself, for pipelines that give it an engine's socket:
#   docker build -t rig .
#   docker run --rm --init --network host -v /var/run/docker.sock:/var/run/docker.sock -v "$PWD/runs:/rig/runs" rig run all
# In the host's network because the ports of clusters are on the engine's 127.0.0.1. Who has
# that socket is root on the engine's machine.
#
# It takes BuildKit (Docker's plugin buildx). NODE_IMAGE is Debian trixie with Node.js and npm, which
# trusts whoever signs for your registry (NODE_EXTRA_CA_CERTS). A registry of your own is in the
# secret `npmrc`: docker build --secret id=npmrc,src=$HOME/.npmrc .
ARG NODE_IMAGE=node:24-trixie-slim
FROM ${NODE_IMAGE}

RUN apt-get update -qq \
 && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
      ca-certificates docker-cli docker-compose \
 && rm -rf /var/lib/apt/lists/*

WORKDIR /rig
COPY package.json package-lock.json ./
RUN --mount=type=secret,id=npmrc,target=/root/.npmrc --mount=type=cache,target=/root/.npm \
    npm ci --omit=dev --no-audit --no-fund --loglevel=error
COPY images images
COPY scripts scripts
COPY src src

ENTRYPOINT ["./scripts/rig"]
CMD ["--help"]
