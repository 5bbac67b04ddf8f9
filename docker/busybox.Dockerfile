# On the plain system: busybox is the only shell, and there is no flock (Debian's busybox has none either).
ARG BASE
FROM ${BASE}
RUN apt-get update \
  && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends busybox \
  && rm -rf /var/lib/apt/lists/* /var/cache/apt/* \
  && ln -sf "$(command -v busybox)" /bin/sh \
  && busybox rm -f /bin/bash /bin/rbash /bin/dash /usr/bin/bash /usr/bin/rbash /usr/bin/dash /usr/bin/flock
