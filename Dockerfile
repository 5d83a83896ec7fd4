# Both base images are indexes of all platforms. Renovate updates version and digest together.
ARG NODE_IMAGE=node:24.21.0-bookworm-slim@sha256:0e0ff40c39bc087845bfb27465a0df4ea419520094bc35842ff83dd8cbe6f9b6
ARG BASE_IMAGE=gcr.io/distroless/cc-debian12:nonroot@sha256:9dac0a79194e45a7da0158a9c6da57b217585af0786db3845d1f0ec1a0dd182f

FROM ${NODE_IMAGE} AS node

# The results of these two stages do not depend on the platform they run on, so they run on the builder's platform.
FROM --platform=$BUILDPLATFORM ${NODE_IMAGE} AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --ignore-scripts
COPY tsconfig.json tsconfig.build.json ./
COPY src src
RUN npm run build

FROM --platform=$BUILDPLATFORM ${NODE_IMAGE} AS packages
ARG TARGETARCH
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
# snappy and lz4-napi install a binary for the platform of the image. Node comes from the first stage.
RUN if [ "$TARGETARCH" = amd64 ]; then cpu=x64; else cpu="$TARGETARCH"; fi \
    && npm ci --ignore-scripts --omit=dev --os=linux --cpu="$cpu" --libc=glibc \
    && rm -rf node_modules/node-linux-*

# The C++ runtime, certificates and the user 65532; no shell, no package manager (docs/decisions/0013-container-image.md).
FROM ${BASE_IMAGE}
LABEL org.opencontainers.image.title="gainstream" \
      org.opencontainers.image.description="Segment events from Kafka to Gainsight" \
      org.opencontainers.image.licenses="Apache-2.0"
WORKDIR /app
COPY --from=node /usr/local/bin/node /usr/local/bin/node
COPY --from=packages /app/node_modules node_modules
COPY package.json LICENSE ./
COPY schemas schemas
COPY --from=build /app/dist dist

# Two malloc arenas instead of eight per core: 10 MB less memory.
ENV NODE_ENV=production \
    MALLOC_ARENA_MAX=2
USER 65532:65532
EXPOSE 8080
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=15s \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.HTTP_PORT || 8080}/livez`).then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
# The flags are those of `npm start` in package.json.
ENTRYPOINT ["node", "--max-semi-space-size=8", "--heap-growing-percent=130", "--no-memory-reducer", "--no-allocation-site-pretenuring", "--no-parallel-scavenge", "/app/dist/main.js"]
CMD ["run"]
