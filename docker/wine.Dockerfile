# On the plain system: Wine, for the Windows Node and for programs that daemonry starts on Windows.
ARG BASE
FROM ${BASE}
ENV WINEPREFIX=/opt/wine WINEDEBUG=-all WINEDLLOVERRIDES=mscoree,mshtml= XDG_RUNTIME_DIR=/tmp
# Wine's libraries are three times as large with their debugging symbols.
RUN apt-get update -qq \
  && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends binutils-mingw-w64-x86-64 wine wine64 >/dev/null \
  && { find /usr/lib/x86_64-linux-gnu/wine -path '*-windows/*' -type f -exec x86_64-w64-mingw32-strip -S {} + 2>/dev/null || true; } \
  && apt-get purge -y -qq --auto-remove binutils-mingw-w64-x86-64 >/dev/null \
  && rm -rf /var/lib/apt/lists/* /var/cache/apt/*
RUN wineboot -i && wine reg add 'HKCU\Software\Wine' /v Version /d win10 /f && wineserver -w && mkdir /opt/wine/drive_c/node /opt/wine/drive_c/app
# A wineserver ends with its last program, and its services take a second to start: this one stays.
CMD ["wine", "C:\\node\\node.exe", "-e", "setInterval(() => {}, 1e6)"]
