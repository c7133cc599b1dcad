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
as=()

fail() {
  echo "elasticsearch: $*" >&2
  exit 1
}

# It refuses to run as root: nobody stands in, in a folder that nobody can reach.
if [ "$(id -u)" = 0 ]; then
  as=(setpriv --reuid nobody --regid nogroup --clear-groups)
  mkdir -p "$folder"
  if ! "${as[@]}" test -x "$folder"; then
    folder=/var/tmp/muster-elasticsearch-$(printf %s "$checkout" | cksum | cut -d' ' -f1)
  fi
fi
mkdir -p "$folder"

# The process that the file names, where it still is Elasticsearch: process numbers are used again.
running() {
  [ -f "$folder/pid" ] && ps -o args= -p "$(cat "$folder/pid")" 2>/dev/null | grep -qF "$folder"
}

healthy() {
  curl -sf --max-time 3 "$url/_cluster/health" >/dev/null
}

if [ "${1:-}" = stop ]; then
  if running; then
    kill "$(cat "$folder/pid")"
    for _ in $(seq 30); do running || break; sleep 1; done
  fi
  rm -f "$folder/pid"
  exit 0
fi

if running && healthy; then
  echo "$url"
  exit 0
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
  mvn -q -B dependency:copy -DoutputDirectory="$folder" \
    -Dartifact="org.elasticsearch.distribution.integ-test-zip:elasticsearch:$version:zip" >&2
  # Unpacked beside its place and moved there last, so that half an archive is never taken for a server.
  rm -rf "$folder/unpacked"
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
[ "$(id -u)" != 0 ] || chown -R nobody:nogroup "$folder"

ES_JAVA_HOME=$java_home ES_JAVA_OPTS=${ES_JAVA_OPTS:--Xms512m -Xmx512m} \
  setsid "${as[@]}" "$server/bin/elasticsearch" -p "$folder/pid" >"$folder/log" 2>&1 </dev/null &
starter=$!
for _ in $(seq 90); do
  if healthy; then
    echo "$url"
    exit 0
  fi
  kill -0 "$starter" 2>/dev/null || break
  sleep 1
done
tail -20 "$folder/log" >&2
fail "it did not start"
