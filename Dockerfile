# Image of Tenantry: `docker build -t tenantry .`. docs/deploy.md explains how to run it.

FROM rust:1.95-slim-bookworm AS build
WORKDIR /build
# Builds the dependencies with an empty crate, in a layer that is reused until they change.
COPY Cargo.toml Cargo.lock ./
COPY .cargo .cargo
RUN mkdir src \
    && touch src/lib.rs \
    && echo 'fn main() {}' > src/main.rs \
    && cargo build --release --locked
COPY migrations migrations
COPY src src
# Cargo compares modification times, and the copied files may be older than the empty ones.
RUN touch src/lib.rs src/main.rs \
    && cargo build --release --locked

FROM debian:bookworm-slim
# Root certificates, to verify the issuers, providers and other servers that it calls. Not pinned: the
# latest are wanted.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends ca-certificates \
    && rm -rf /var/lib/apt/lists/* \
    && mkdir /etc/tenantry \
    && install --directory --owner=10001 --group=10001 --mode=0700 /var/lib/tenantry
COPY --from=build /build/target/release/tenantry /usr/local/bin/tenantry
# `tenantry.toml` is read from here, if one is mounted.
WORKDIR /etc/tenantry
USER 10001:10001
# On all addresses, it starts only with an issuer or with TENANTRY_AUTH__DEVELOPMENT=true.
ENV HOST=0.0.0.0 \
    PORT=8080 \
    TENANTRY_DATA_DIR=/var/lib/tenantry
VOLUME /var/lib/tenantry
EXPOSE 8080
# Liveness only: an unreachable database is no reason to replace the container.
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 \
    CMD ["/bin/bash", "-c", "exec 3<>/dev/tcp/127.0.0.1/$PORT && printf 'GET /healthz HTTP/1.1\\r\\nHost: localhost\\r\\nConnection: close\\r\\n\\r\\n' >&3 && read -r _ status _ <&3 && [ \"$status\" = 200 ]"]
ENTRYPOINT ["tenantry"]
CMD ["serve"]
