# A bare Debian, what the newest Node needs of it, and one user. Node, package and tests are mounted: see README.md here.
ARG BASE
FROM ${BASE}
RUN apt-get update \
  && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends libatomic1 libstdc++6 \
  && rm -rf /var/lib/apt/lists/* /var/cache/apt/* \
  && useradd --create-home --uid 1000 ann \
  && mkdir -m 1777 /volume \
  && ln -s /opt/app/node_modules/.bin/daemonry /usr/local/bin/daemonry
# As pid 1 this reaps nobody: a daemon that ends here stays a zombie.
CMD ["sleep", "infinity"]
