# shellcheck shell=bash
# Makes the topics that are not there; those that are there stay as they are.
set -euo pipefail
tools="${KAFKA_TOOLS:-/opt/kafka/bin}"
scratch="${SCRATCH:-/tmp}"
properties="$scratch/client.properties"
: >"$properties"
chmod 600 "$properties"

set_property() { printf '%s=%s\n' "$1" "$2" >>"$properties"; }
# A properties file takes one backslash of two, and so does the text in quotes within it.
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

create() {
  "$tools/kafka-topics.sh" --bootstrap-server "$KAFKA_BROKERS" --command-config "$properties" --create --if-not-exists \
    --topic "$1" --partitions "$PARTITIONS" --replication-factor "$REPLICATION_FACTOR" "${@:2}"
}
keep_all=(--config cleanup.policy=delete --config retention.ms=-1 --config retention.bytes=-1)
# A hosted cluster may choose the codec itself.
create_ours() { create "$1" "${keep_all[@]}" --config compression.type=producer || create "$1" "${keep_all[@]}"; }

IFS=', ' read -ra sources <<<"$SOURCE_TOPICS"
for topic in "${sources[@]}"; do create "$topic" --config "retention.ms=$SOURCE_RETENTION_MS"; done
IFS=', ' read -ra delays <<<"$RETRY_DELAYS"
for delay in "${delays[@]}"; do create_ours "$RETRY_TOPIC-${delay,,}"; done
create_ours "$DEAD_LETTER_TOPIC"
