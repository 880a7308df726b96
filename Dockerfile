# Tenantry in a container: `docker build -t tenantry .`; docs/deploy.md says how to run it.

FROM rust:1.95-slim-bookworm AS build
WORKDIR /build
# The dependencies, in a layer of their own that lasts until they change. The crate is empty for now.
COPY Cargo.toml Cargo.lock ./
COPY .cargo .cargo
RUN mkdir src \
    && touch src/lib.rs \
    && echo 'fn main() {}' > src/main.rs \
    && cargo build --release --locked
COPY migrations migrations
COPY src src
# Cargo goes by the time of change, and the files may be older than the empty ones were.
RUN touch src/lib.rs src/main.rs \
    && cargo build --release --locked

FROM debian:bookworm-slim
# By these certificates it knows the issuers, providers and other servers that it calls. The latest.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends ca-certificates \
    && rm -rf /var/lib/apt/lists/* \
    && mkdir /etc/tenantry \
    && install --directory --owner=10001 --group=10001 --mode=0700 /var/lib/tenantry
COPY --from=build /build/target/release/tenantry /usr/local/bin/tenantry
# A `tenantry.toml` that is mounted here is read.
WORKDIR /etc/tenantry
USER 10001:10001
# On every address it starts only with an issuer, or with TENANTRY_AUTH__DEVELOPMENT=true.
ENV HOST=0.0.0.0 \
    PORT=8080 \
    TENANTRY_DATA_DIR=/var/lib/tenantry
VOLUME /var/lib/tenantry
EXPOSE 8080
# Whether the process lives: it is not to be replaced because the database is away.
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 \
    CMD ["/bin/bash", "-c", "exec 3<>/dev/tcp/127.0.0.1/$PORT && printf 'GET /healthz HTTP/1.1\\r\\nHost: localhost\\r\\nConnection: close\\r\\n\\r\\n' >&3 && read -r _ status _ <&3 && [ \"$status\" = 200 ]"]
ENTRYPOINT ["tenantry"]
CMD ["serve"]
