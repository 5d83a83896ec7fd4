{{/* A list, or comma-separated text, as comma-separated text. */}}
{{- define "gainstream.commas" -}}
{{- kindIs "slice" . | ternary . (list .) | join "," -}}
{{- end -}}

{{- define "gainstream.secrets" -}}/etc/gainstream/secrets{{- end -}}

{{/* The path of a secret: `path` if another program writes the file, otherwise the chart's mount: (list . path "path in the volume") */}}
{{- define "gainstream.secretFile" -}}
{{- with index . 1 -}}{{- . | quote -}}{{- else -}}{{- include "gainstream.secrets" (index . 0) -}}/{{- index . 2 -}}{{- end -}}
{{- end -}}

{{/* The environment, one variable a line. A test reads the names and the paths of the values here. */}}
{{- define "gainstream.env" -}}
KAFKA_BROKERS: {{ include "gainstream.commas" .Values.kafka.brokers | quote }}
KAFKA_CLIENT_ID: {{ .Values.kafka.clientId | quote }}
KAFKA_GROUP_ID: {{ .Values.kafka.groupId | quote }}
KAFKA_COMPRESSION: {{ .Values.kafka.compression | quote }}
START_FROM: {{ .Values.kafka.startFrom | quote }}
KAFKA_TLS: {{ .Values.kafka.tls.enabled | quote }}
{{- if or .Values.kafka.tls.ca.existingSecret .Values.kafka.tls.ca.existingConfigMap .Values.kafka.tls.ca.file }}
KAFKA_TLS_CA_FILE: {{ include "gainstream.secretFile" (list . .Values.kafka.tls.ca.file "kafka/ca.crt") }}
{{- end }}
{{- if or .Values.kafka.tls.client.existingSecret .Values.kafka.tls.client.certFile }}
KAFKA_TLS_CERT_FILE: {{ include "gainstream.secretFile" (list . .Values.kafka.tls.client.certFile "kafka/tls.crt") }}
KAFKA_TLS_KEY_FILE: {{ include "gainstream.secretFile" (list . .Values.kafka.tls.client.keyFile "kafka/tls.key") }}
{{- end }}
{{- $logIn := include "gainstream.logIn" . }}
{{- if $logIn }}
KAFKA_SASL_MECHANISM: {{ .Values.kafka.sasl.mechanism | quote }}
{{- end }}
{{- if eq $logIn "password" }}
KAFKA_SASL_USERNAME: {{ .Values.kafka.sasl.username | quote }}
KAFKA_SASL_PASSWORD_FILE: {{ include "gainstream.secretFile" (list . .Values.kafka.sasl.passwordFile "kafka/password") }}
{{- else if eq $logIn "client" }}
KAFKA_SASL_OAUTH_TOKEN_URL: {{ .Values.kafka.sasl.oauth.tokenUrl | quote }}
KAFKA_SASL_OAUTH_CLIENT_ID: {{ .Values.kafka.sasl.oauth.clientId | quote }}
KAFKA_SASL_OAUTH_CLIENT_SECRET_FILE: {{ include "gainstream.secretFile" (list . .Values.kafka.sasl.oauth.clientSecretFile "kafka/client-secret") }}
KAFKA_SASL_OAUTH_SCOPE: {{ .Values.kafka.sasl.oauth.scope | quote }}
{{- else if eq $logIn "token" }}
KAFKA_SASL_OAUTH_TOKEN_FILE: {{ .Values.kafka.sasl.oauth.tokenFile | default (printf "%s/kafka/token" (include "gainstream.secrets" .)) | quote }}
{{- else if eq $logIn "aws" }}
KAFKA_SASL_AWS_REGION: {{ .Values.kafka.sasl.aws.region | quote }}
{{- end }}
{{- if .Values.kafka.sasl.oauth.extensions }}
KAFKA_SASL_OAUTH_EXTENSIONS: {{ include "gainstream.extensions" .Values.kafka.sasl.oauth.extensions | quote }}
{{- end }}
{{- if .Values.schemaRegistry.url }}
SCHEMA_REGISTRY_URL: {{ .Values.schemaRegistry.url | quote }}
{{- end }}
{{- if .Values.schemaRegistry.username }}
SCHEMA_REGISTRY_USERNAME: {{ .Values.schemaRegistry.username | quote }}
SCHEMA_REGISTRY_PASSWORD_FILE: {{ include "gainstream.secretFile" (list . .Values.schemaRegistry.passwordFile "schema-registry/password") }}
{{- end }}
INPUT_FORMAT: {{ .Values.input.format | quote }}
AVRO_SCHEMA_FILE: {{ .Values.input.avroSchemaFile | quote }}
GAINSIGHT_ROUTE: {{ .Values.gainsight.route | quote }}
GAINSIGHT_URL: {{ .Values.gainsight.url | quote }}
GAINSIGHT_ACCESS_KEY_FILE: {{ include "gainstream.secretFile" (list . .Values.gainsight.accessKeyFile "gainsight/access-key") }}
GAINSIGHT_TIMEOUT: {{ .Values.gainsight.timeout | quote }}
GAINSIGHT_CONCURRENCY: {{ .Values.gainsight.concurrency | quote }}
{{- if .Values.proxy.https }}
HTTPS_PROXY: {{ .Values.proxy.https | quote }}
{{- end }}
{{- if .Values.proxy.http }}
HTTP_PROXY: {{ .Values.proxy.http | quote }}
{{- end }}
{{- with include "gainstream.commas" .Values.proxy.noProxy }}
NO_PROXY: {{ . | quote }}
{{- end }}
BREAKER_ERROR_PERCENT: {{ .Values.gainsight.breaker.errorPercent | quote }}
BREAKER_MIN_CALLS: {{ .Values.gainsight.breaker.minCalls | quote }}
BREAKER_WINDOW: {{ .Values.gainsight.breaker.window | quote }}
BREAKER_PROBE_MIN: {{ .Values.gainsight.breaker.probeMin | quote }}
BREAKER_PROBE_MAX: {{ .Values.gainsight.breaker.probeMax | quote }}
SOURCE_TOPICS: {{ include "gainstream.commas" .Values.topics.source | quote }}
RETRY_TOPIC: {{ .Values.topics.retry | quote }}
RETRY_DELAYS: {{ include "gainstream.commas" .Values.topics.retryDelays | quote }}
DEAD_LETTER_TOPIC: {{ .Values.topics.deadLetter | quote }}
CREATE_TOPICS: {{ .Values.topics.create | quote }}
RETRY_MAX_AGE: {{ .Values.retry.maxAge | quote }}
RETRY_MAX_ATTEMPTS: {{ .Values.retry.maxAttempts | quote }}
QUICK_ATTEMPTS: {{ .Values.retry.quickAttempts | quote }}
SETTINGS_FILE: /etc/gainstream/settings/settings.yaml
HTTP_HOST: {{ .Values.http.host | quote }}
HTTP_PORT: {{ .Values.http.port | quote }}
LOG_LEVEL: {{ .Values.log.level | quote }}
SHUTDOWN_TIMEOUT: {{ printf "%vs" .Values.shutdownTimeoutSeconds | quote }}
{{- end -}}

{{/* Proxy addresses from a Secret. They are variables and no files, because programs expect them in variables. */}}
{{- define "gainstream.secretEnv" -}}
{{- with .Values.proxy }}
{{- if .existingSecret }}
{{- range $name, $key := dict "HTTPS_PROXY" .httpsKey "HTTP_PROXY" .httpKey }}
{{- if $key }}
- name: {{ $name }}
  valueFrom: { secretKeyRef: { name: {{ $.Values.proxy.existingSecret | quote }}, key: {{ $key | quote }} } }
{{- end }}
{{- end }}
{{- end }}
{{- end }}
{{- end -}}

{{/* The kind of login to Kafka: `password`, `client`, `token` or `aws`; empty: none. */}}
{{- define "gainstream.logIn" -}}
{{- with .Values.kafka.sasl -}}
{{- $others := dict "" "" "oauthbearer" (empty .oauth.tokenUrl | ternary "token" "client") "aws-msk-iam" "aws" -}}
{{- $mechanism := .mechanism | default "" -}}
{{- hasKey $others $mechanism | ternary (get $others $mechanism) "password" -}}
{{- end -}}
{{- end -}}

{{- define "gainstream.extensions" -}}
{{- $pairs := list -}}
{{- range $name, $value := . }}{{ $pairs = append $pairs (printf "%s=%s" $name $value) }}{{ end -}}
{{- join "," $pairs -}}
{{- end -}}

{{/* The port of a URL. */}}
{{- define "gainstream.port" -}}
{{- $host := (urlParse .).host -}}
{{- $byDefault := hasPrefix "https" . | ternary "443" "80" -}}
{{- regexFind "[0-9]+$" (regexFind ":[0-9]+$" $host) | default $byDefault -}}
{{- end -}}

{{/* The sources of one projected volume: keys of Secrets and ConfigMaps with their paths. */}}
{{- define "gainstream.secretSources" -}}
{{- $made := include "gainstream.fullname" . -}}
{{- with .Values.gainsight }}
{{- if not .accessKeyFile }}
- secret:
    name: {{ .existingSecret | default $made | quote }}
    items: [{ key: {{ .existingSecret | empty | ternary "access-key" .accessKeyKey | quote }}, path: gainsight/access-key }]
{{- end }}
{{- end }}
{{- include "gainstream.kafkaSources" . }}
{{- with .Values.schemaRegistry }}
{{- if and .username (not .passwordFile) }}
- secret:
    name: {{ .existingSecret | default $made | quote }}
    items: [{ key: {{ .existingSecret | empty | ternary "schema-registry-password" .passwordKey | quote }}, path: schema-registry/password }]
{{- end }}
{{- end }}
{{- end -}}

{{- define "gainstream.kafkaSources" -}}
{{- with .Values.kafka.tls.ca }}
{{- if or .existingSecret .existingConfigMap }}
- {{ .existingSecret | empty | ternary "configMap" "secret" }}:
    name: {{ .existingSecret | default .existingConfigMap | quote }}
    items: [{ key: {{ .key | quote }}, path: kafka/ca.crt }]
{{- end }}
{{- end }}
{{- with .Values.kafka.tls.client }}
{{- if .existingSecret }}
- secret:
    name: {{ .existingSecret | quote }}
    items:
      - { key: {{ .certKey | quote }}, path: kafka/tls.crt }
      - { key: {{ .keyKey | quote }}, path: kafka/tls.key }
{{- end }}
{{- end }}
{{- $logIn := include "gainstream.logIn" . }}
{{- with .Values.kafka.sasl }}
{{- if eq $logIn "password" | and (not .passwordFile) }}
- secret:
    name: {{ .existingSecret | default (include "gainstream.fullname" $) | quote }}
    items: [{ key: {{ .existingSecret | empty | ternary "kafka-password" .passwordKey | quote }}, path: kafka/password }]
{{- else if eq $logIn "client" | and (not .oauth.clientSecretFile) }}
- secret:
    name: {{ .oauth.existingSecret | quote }}
    items: [{ key: {{ .oauth.clientSecretKey | quote }}, path: kafka/client-secret }]
{{- else if eq $logIn "token" | and .oauth.serviceAccountToken.audience }}
- serviceAccountToken:
    audience: {{ .oauth.serviceAccountToken.audience | quote }}
    expirationSeconds: {{ .oauth.serviceAccountToken.expirationSeconds | int64 }}
    path: kafka/token
{{- end }}
{{- end }}
{{- end -}}

{{/* The content of the Secret that the chart creates; empty if it creates none. */}}
{{- define "gainstream.madeSecrets" -}}
{{- with .Values.gainsight.accessKey }}
access-key: {{ . | quote }}
{{- end }}
{{- with .Values.kafka.sasl.password }}
kafka-password: {{ . | quote }}
{{- end }}
{{- with .Values.schemaRegistry.password }}
schema-registry-password: {{ . | quote }}
{{- end }}
{{- end -}}
