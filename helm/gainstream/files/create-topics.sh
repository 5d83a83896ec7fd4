# shellcheck shell=bash
# Creates missing topics, and leaves existing topics unchanged.
set -euo pipefail
tools="${KAFKA_TOOLS:-/opt/kafka/bin}"
scratch="${SCRATCH:-/tmp}"
properties="$scratch/client.properties"

# The proxy of a mesh keeps the pod running, unless it is a native sidecar. Istio's proxy ends on request, and Linkerd's too if its
# endpoint is open.
dismiss_proxy() {
  local request
  for request in ${PROXY_REQUESTS:-15020/quitquitquit 4191/shutdown}; do
    (
      exec 3<>"/dev/tcp/127.0.0.1/${request%/*}"
      printf 'POST /%s HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\nConnection: close\r\n\r\n' "${request#*/}" >&3
      read -r -t 5 <&3
    ) 2>/dev/null || true
  done
}
trap dismiss_proxy EXIT

: >"$properties"
chmod 600 "$properties"

set_property() { printf '%s=%s\n' "$1" "$2" >>"$properties"; }
# A properties file reads two backslashes as one, and so does the quoted text in it.
quoted() { printf '"%s"' "$(printf '%s' "$1" | sed -e 's/["\\]/\\&/g' -e 's/\\/\\\\/g')"; }

protocol=PLAINTEXT
if [ "$KAFKA_TLS" = true ]; then
  protocol=SSL
  if [ -n "${KAFKA_TLS_CA_FILE:-}" ]; then
    set_property ssl.truststore.type PEM
    set_property ssl.truststore.location "$KAFKA_TLS_CA_FILE"
  fi
  if [ -n "${KAFKA_TLS_CERT_FILE:-}" ]; then
    (umask 077 && cat "$KAFKA_TLS_KEY_FILE" "$KAFKA_TLS_CERT_FILE" >"$scratch/client.pem")
    set_property ssl.keystore.type PEM
    set_property ssl.keystore.location "$scratch/client.pem"
  fi
fi
if [ -n "${KAFKA_SASL_MECHANISM:-}" ]; then
  case "$protocol" in SSL) protocol=SASL_SSL ;; *) protocol=SASL_PLAINTEXT ;; esac
  module=org.apache.kafka.common.security.scram.ScramLoginModule
  [ "$KAFKA_SASL_MECHANISM" != plain ] || module=org.apache.kafka.common.security.plain.PlainLoginModule
  set_property sasl.mechanism "$(printf '%s' "$KAFKA_SASL_MECHANISM" | tr '[:lower:]' '[:upper:]')"
  set_property sasl.jaas.config "$module required username=$(quoted "$KAFKA_SASL_USERNAME") password=$(quoted "$(cat "$KAFKA_SASL_PASSWORD_FILE")");"
fi
set_property security.protocol "$protocol"

kafka_topics() { "$tools/kafka-topics.sh" --bootstrap-server "$KAFKA_BROKERS" --command-config "$properties" "$@"; }

# DNS, network policies and the proxy of a mesh may be ready later than the container.
until kafka_topics --list >/dev/null; do
  if [ "$SECONDS" -ge "${PATIENCE_SECONDS:-30}" ]; then
    printf 'Cannot reach Kafka at %s\n' "$KAFKA_BROKERS" >&2
    exit 1
  fi
  sleep "${PAUSE_SECONDS:-3}"
done

create() {
  kafka_topics --create --if-not-exists --topic "$1" --partitions "$PARTITIONS" \
    --replication-factor "$REPLICATION_FACTOR" "${@:2}"
}
keep_all=(--config cleanup.policy=delete --config retention.ms=-1 --config retention.bytes=-1)
# A hosted cluster may refuse a codec.
create_ours() { create "$1" "${keep_all[@]}" --config compression.type=producer || create "$1" "${keep_all[@]}"; }

IFS=', ' read -ra sources <<<"$SOURCE_TOPICS"
for topic in "${sources[@]}"; do create "$topic" --config "retention.ms=$SOURCE_RETENTION_MS"; done
IFS=', ' read -ra delays <<<"$RETRY_DELAYS"
for delay in "${delays[@]}"; do create_ours "$RETRY_TOPIC-${delay,,}"; done
create_ours "$DEAD_LETTER_TOPIC"
