#!/bin/bash
# Lets Envoy finish the requests in progress, because Envoy itself ends at once on SIGTERM.
#
#   drain-envoy.sh ADMIN AT_MOST_S ACCEPT_S                     drain, then return; Envoy still runs
#   drain-envoy.sh run ADMIN AT_MOST_S ACCEPT_S COMMAND...      run Envoy; on SIGTERM drain, then stop it
#
# ADMIN is Envoy's admin interface, HOST:PORT or unix:PATH (needs curl). First each answer tells its client
# to connect elsewhere (--drain-strategy immediate). For ACCEPT_S seconds new connections are still accepted,
# for a load balancer that does not know yet; then they are refused. Then the script waits for the requests in
# progress, AT_MOST_S seconds in all.
set -u

ask() { # METHOD PATH
  if [[ $admin == unix:* ]]; then
    curl --silent --max-time 2 --unix-socket "${admin#unix:}" --request "$1" "http://envoy$2"
    return
  fi
  ( # Envoy's image has neither curl nor wget.
    exec 3<>"/dev/tcp/${admin%:*}/${admin##*:}" || exit 1
    printf '%s %s HTTP/1.1\r\nhost: envoy\r\ncontent-length: 0\r\nconnection: close\r\n\r\n' "$1" "$2" >&3
    timeout 2 cat <&3
  ) 2>/dev/null
}

active() { # Client requests in progress; fails when Envoy does not answer.
  local answer line count=0
  answer=$(ask GET '/stats?filter=downstream_rq_active') || return
  while read -r line; do
    [[ $line =~ ^http\.(.+)\.downstream_rq_active:\ ([0-9]+) && ${BASH_REMATCH[1]} != admin ]] || continue
    count=$((count + BASH_REMATCH[2]))
  done <<<"$answer"
  echo "$count"
}

drain() {
  local started=$SECONDS count
  ask POST '/drain_listeners?graceful' >/dev/null || return 0
  while ((SECONDS - started < accept_s)); do sleep 0.2; done
  ask POST '/drain_listeners' >/dev/null
  while count=$(active) && ((count > 0)); do
    if ((SECONDS - started >= at_most_s)); then
      echo "drain-envoy: $count requests are still in progress after $at_most_s s" >&2
      return 0
    fi
    sleep 0.2
  done
}

if [[ $1 != run ]]; then
  admin=$1 at_most_s=$2 accept_s=$3
  drain
  exit 0
fi

admin=$2 at_most_s=$3 accept_s=$4
shift 4
"$@" &
envoy=$!
trap 'drain; kill -TERM "$envoy" 2>/dev/null' TERM INT
# A signal ends the waiting, not Envoy.
while wait "$envoy"; code=$?; kill -0 "$envoy" 2>/dev/null; do :; done
exit "$code"
