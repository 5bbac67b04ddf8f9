# Sourced by .ci/run: start_engine has a Docker engine answer, where it may; stop_engine takes away what that started.
# Neither ever fails the run: without an engine the containers are skipped, and say so.

engine_folder=
firewall_before=
forwarding_before=

start_engine() {
  [ -z "${DOCKER_HOST:-}" ] || return 0
  # Makes the bases where no image registry answers.
  have debootstrap debootstrap || true
  if engine_answers; then return 0; fi
  if ! have dockerd docker.io || ! have iptables iptables; then
    echo "no Docker engine answers, and none can be installed here"
    return 0
  fi
  # Under systemd it has been started by its package, as a service of this machine.
  if engine_answers; then return 0; fi
  engine_folder=$(mktemp -d)
  firewall_before=$(iptables-save 2>/dev/null || true)
  forwarding_before=$(cat /proc/sys/net/ipv4/ip_forward)
  # In a session of its own: Ctrl-C is for the tests, which need it to clean up.
  setsid dockerd --pidfile "$engine_folder/pid" </dev/null >"$engine_folder/log" 2>&1 &
  for _ in $(seq 60); do
    if engine_answers; then return 0; fi
    kill -0 $! 2>/dev/null || break
    sleep 0.5
  done
  echo "the Docker engine does not start here: $(tail -n 1 "$engine_folder/log")"
  stop_engine
}

stop_engine() {
  [ -n "$engine_folder" ] || return 0
  local pid
  pid=$(cat "$engine_folder/pid" 2>/dev/null || true)
  if [ -n "$pid" ]; then
    kill "$pid" 2>/dev/null || true
    for _ in $(seq 60); do
      [ -e "$engine_folder/pid" ] || break
      sleep 0.5
    done
  fi
  # It leaves its bridge, its rules and the forwarding behind; where they were there before, they are another's.
  case $firewall_before in
    *DOCKER*) ;;
    *)
      ip link delete docker0 2>/dev/null || true
      iptables-save 2>/dev/null | grep -v -e DOCKER -e docker0 | sed 's/^:FORWARD DROP/:FORWARD ACCEPT/' | iptables-restore 2>/dev/null || true
      echo "$forwarding_before" >/proc/sys/net/ipv4/ip_forward 2>/dev/null || true
      ;;
  esac
  rm -rf "$engine_folder"
  engine_folder=
}

engine_answers() {
  node -e '
    const request = require("http").get({ socketPath: "/var/run/docker.sock", path: "/_ping", timeout: 5000 }, (answer) => process.exit(answer.statusCode === 200 ? 0 : 1));
    for (const event of ["error", "timeout"]) request.on(event, () => process.exit(1));'
}

install() {
  RUNLEVEL=1 timeout 300 apt-get install -y --no-install-recommends "$1"
}

# Whether there is this command, if need be from this package.
have() {
  if command -v "$1" >/dev/null; then return 0; fi
  [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null || return 1
  # The run level keeps other init systems from starting what is installed.
  { install "$2" || { timeout 120 apt-get update && install "$2"; }; } >/dev/null 2>&1
  command -v "$1" >/dev/null
}
