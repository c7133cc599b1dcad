#!/usr/bin/env bash
# Fetch (once) and start Elasticsearch on 127.0.0.1, and print its address; `stop` stops it.
# It comes through Maven: the server as Elastic's own integration tests use it, without plugin modules.
# Needs Maven and a full JDK 21 or newer. Environment: ELASTICSEARCH_PORT (9200), ES_JAVA_HOME, ES_JAVA_OPTS.
set -euo pipefail

version=9.2.8
port=${ELASTICSEARCH_PORT:-9200}
url=http://127.0.0.1:$port
checkout=$(cd "$(dirname "$0")/.." && pwd)
folder=$checkout/.muster/elasticsearch
nobody=65534
as=()

fail() {
  echo "elasticsearch: $*" >&2
  exit 1
}

for tool in curl ps; do
  command -v "$tool" >/dev/null || fail "$tool is needed"
done

# It refuses to run as root: nobody stands in, in a folder that nobody can reach.
if [ "$(id -u)" = 0 ]; then
  as=(setpriv --reuid "$nobody" --regid "$nobody" --clear-groups)
  mkdir -p "$folder"
  if ! "${as[@]}" test -x "$folder"; then
    folder=/var/tmp/muster-elasticsearch-$(printf %s "$checkout" | cksum | cut -d' ' -f1)
  fi
fi
mkdir -p "$folder"

# Whether a process is this Elasticsearch: process numbers are used again.
alive() {
  ps -ww -o args= -p "$1" 2>/dev/null | grep -qF "$folder"
}

running() {
  [ -f "$folder/pid" ] && alive "$(cat "$folder/pid")"
}

healthy() {
  curl -sf --max-time 3 "$url/_cluster/health" >/dev/null
}

if [ "${1:-}" = stop ]; then
  if running; then
    process=$(cat "$folder/pid") # it removes the file itself, long before it is gone
    kill "$process"
    for _ in $(seq 30); do
      alive "$process" || break
      sleep 1
    done
    ! alive "$process" || fail "process $process does not stop"
  fi
  rm -f "$folder/pid"
  exit 0
fi

# Of two who start it at once, the second waits, and finds it running.
if command -v flock >/dev/null; then
  exec 9>"$folder/starting"
  flock 9
fi

if running; then
  url=$(cat "$folder/url") # whichever port it was started on
  if healthy; then
    echo "$url"
    exit 0
  fi
  fail "process $(cat "$folder/pid") runs and does not answer at $url: stop it first, or see $folder/log"
fi
if healthy; then
  fail "something else answers at $url: use it with ELASTICSEARCH_URL, or name another ELASTICSEARCH_PORT"
fi

java_home=${ES_JAVA_HOME:-}
for candidate in "${JAVA_HOME:-}" /usr/lib/jvm/* /Library/Java/JavaVirtualMachines/*/Contents/Home; do
  [ -z "$java_home" ] || break
  [ -x "$candidate/bin/jlink" ] || continue
  major=$("$candidate/bin/java" -version 2>&1 | sed -nE '1s/.*"([0-9]+).*/\1/p')
  if [ "${major:-0}" -ge 21 ]; then java_home=$candidate; fi
done
[ -n "$java_home" ] || fail "a full JDK 21 or newer is needed: set ES_JAVA_HOME"

server=$folder/elasticsearch-$version
if [ ! -x "$server/bin/elasticsearch" ]; then
  command -v mvn >/dev/null || fail "Maven is needed to fetch Elasticsearch"
  echo "Fetching Elasticsearch $version …" >&2
  # What an interrupted fetch left behind goes first, and the server is moved to its place last: half an archive is
  # never taken for a server.
  rm -rf "$folder/unpacked" "$folder/elasticsearch-$version.zip"
  mvn -q -B dependency:copy -DoutputDirectory="$folder" \
    -Dartifact="org.elasticsearch.distribution.integ-test-zip:elasticsearch:$version:zip" >&2
  python3 -m zipfile -e "$folder/elasticsearch-$version.zip" "$folder/unpacked"
  chmod +x "$folder/unpacked/elasticsearch-$version/bin/"*
  mv "$folder/unpacked/elasticsearch-$version" "$server"
  rm -rf "$folder/unpacked" "$folder/elasticsearch-$version.zip"
fi

cat >"$server/config/elasticsearch.yml" <<EOF
cluster.name: muster
discovery.type: single-node
network.host: 127.0.0.1
http.port: $port
transport.port: $((port + 100))
xpack.security.enabled: false
cluster.routing.allocation.disk.threshold_enabled: false
node.store.allow_mmap: false
path.data: $folder/data
path.logs: $folder/logs
EOF
echo "$url" >"$folder/url"
[ "$(id -u)" != 0 ] || chown -R "$nobody:$nobody" "$folder"

ES_JAVA_HOME=$java_home ES_JAVA_OPTS=${ES_JAVA_OPTS:--Xms512m -Xmx512m} \
  setsid "${as[@]}" "$server/bin/elasticsearch" -p "$folder/pid" >"$folder/log" 2>&1 </dev/null 9>&- &
starter=$!
for _ in $(seq 180); do
  if healthy; then
    echo "$url"
    exit 0
  fi
  kill -0 "$starter" 2>/dev/null || break
  sleep 1
done
kill "$starter" 2>/dev/null || true
tail -20 "$folder/log" >&2
fail "it did not start"
