# On the plain system: systemd is pid 1, and ann's services run without her being logged in.
ARG BASE
FROM ${BASE}
RUN apt-get update \
  && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
    dbus dbus-user-session libpam-systemd systemd systemd-sysv \
  && rm -rf /var/lib/apt/lists/* /var/cache/apt/* \
  && mkdir -p /var/lib/systemd/linger \
  && touch /var/lib/systemd/linger/ann
STOPSIGNAL SIGRTMIN+3
CMD ["/lib/systemd/systemd"]
