{{/*
Checks that no JSON schema can express: values that are missing, that need each other, or that contradict each other. Each template
prints one sentence a line for its mistakes, and never a secret.
*/}}
{{- define "gainstream.guards" -}}
{{- include "gainstream.sections" . -}}
{{- $found := list -}}
{{- range $guard := list "parent" "image" "kafka" "login" "files" "registry" "gainsight" "proxy" "topics" "replicas" "budget" "resources" "networks" "monitoring" "extras" "additions" "dns" -}}
{{- range include (printf "gainstream.guards.%s" $guard) $ | splitList "\n" -}}
{{- with trim . -}}{{- $found = append $found . -}}{{- end -}}
{{- end -}}
{{- end -}}
{{- if $found -}}
{{- fail (printf "\n\n%s\n" (join "\n" $found)) -}}
{{- end -}}
{{- end -}}

{{- define "gainstream.guards.kafka" -}}
{{- $brokers := include "gainstream.commas" .Values.kafka.brokers -}}
{{- if not $brokers }}
kafka.brokers is not set; want host:port, such as [kafka-1:9092, kafka-2:9092]
{{- else }}
{{- range splitList "," $brokers }}
{{- $port := regexFind ":[0-9]{1,5}$" (trim .) | trimPrefix ":" | int }}
{{- if not (and (regexMatch "^[A-Za-z0-9._-]+:[0-9]{1,5}$" (trim .)) (ge $port 1) (le $port 65535)) }}
Cannot use kafka.brokers: got {{ regexReplaceAll "^.*@" (trim .) "***@" | squote }}, want host:port, such as [kafka-1:9092, kafka-2:9092]
{{- end }}
{{- end }}
{{- end }}
{{- with .Values.kafka.tls }}
{{- if and (not .enabled) (or .ca.existingSecret .ca.existingConfigMap .ca.file .client.existingSecret .client.certFile .client.keyFile) }}
kafka.tls.enabled is false, but kafka.tls.ca or kafka.tls.client is set; set kafka.tls.enabled to true
{{- end }}
{{- if and .ca.existingSecret .ca.existingConfigMap }}
kafka.tls.ca.existingSecret and existingConfigMap are both set; set only one
{{- end }}
{{- end }}
{{- end -}}

{{- define "gainstream.guards.url" -}}
{{- if not (regexMatch "^https?://[^\\s?#@]+$" .url) }}
Cannot use {{ .name }}: got {{ regexReplaceAll "[?#].*$" (regexReplaceAll "^.*@" .url "***@") "?***" | squote }}, want an http:// or https:// address without credentials or query
{{- else if include "gainstream.port" .url | int | lt 65535 }}
Cannot use {{ .name }}: got the port {{ include "gainstream.port" .url }}, want at most 65535
{{- end }}
{{- end -}}

{{- define "gainstream.guards.registry" -}}
{{- with .Values.schemaRegistry }}
{{- if .url }}
{{- include "gainstream.guards.url" (dict "name" "schemaRegistry.url" "url" .url) }}
{{- else if eq $.Values.input.format "registry" }}
schemaRegistry.url is not set; input.format: registry needs it
{{- else if .username }}
schemaRegistry.url is not set; schemaRegistry.username needs it
{{- end }}
{{- if and .username (not (or .existingSecret .passwordFile .password)) }}
schemaRegistry.username needs a password; set schemaRegistry.existingSecret to a Secret with the key {{ .passwordKey | squote }}
{{- end }}
{{- if and (not .username) (or .existingSecret .passwordFile .password) }}
schemaRegistry.username is not set; the registry's password needs it
{{- end }}
{{- if and .existingSecret .password }}
schemaRegistry.existingSecret and schemaRegistry.password are both set; set only one
{{- end }}
{{- end }}
{{- end -}}

{{- define "gainstream.guards.gainsight" -}}
{{- with .Values.gainsight }}
{{- include "gainstream.guards.url" (dict "name" "gainsight.url" "url" .url) }}
{{- if not (or .existingSecret .accessKeyFile .accessKey) }}
gainsight.existingSecret is not set; set it to a Secret with the access key under {{ .accessKeyKey | squote }}
{{- end }}
{{- if and .existingSecret .accessKey }}
gainsight.existingSecret and gainsight.accessKey are both set; set only one
{{- end }}
{{- if and .accessKey (not (regexMatch "^[!-~]{36}$" .accessKey)) }}
Cannot use gainsight.accessKey: got {{ len .accessKey }} characters, want the 36 characters of a Gainsight access key
{{- end }}
{{- $timeout := include "gainstream.ms" .timeout | default "0" | int64 }}
{{- if or (lt $timeout 10) (gt $timeout 25000) }}
Cannot use gainsight.timeout: got {{ squote .timeout }}, want a duration from 10ms to 25s
{{- end }}
{{- if gt (include "gainstream.ms" .breaker.probeMin | int64) (include "gainstream.ms" .breaker.probeMax | int64) }}
Cannot use gainsight.breaker.probeMin: got {{ squote .breaker.probeMin }}, want at most gainsight.breaker.probeMax, which is {{ squote .breaker.probeMax }}
{{- end }}
{{- end }}
{{- end -}}

{{- define "gainstream.guards.proxy" -}}
{{- with .Values.proxy }}
{{- range $name, $url := dict "proxy.https" (.https | default "") "proxy.http" (.http | default "") }}
{{- if contains "@" $url }}
Cannot use {{ $name }}: got {{ regexReplaceAll "^.*@" $url "***@" | squote }}, want an address without credentials; for credentials, set proxy.existingSecret
{{- else if and $url (not (regexMatch "^https?://[^\\s?#/]+/?$" $url)) }}
Cannot use {{ $name }}: got {{ squote $url }}, want an http:// or https:// address such as http://proxy:3128
{{- else if and $url (include "gainstream.port" $url | int | lt 65535) }}
Cannot use {{ $name }}: got the port {{ include "gainstream.port" $url }}, want at most 65535
{{- end }}
{{- end }}
{{- if and .existingSecret (or .https .http) }}
proxy.existingSecret is set together with proxy.https or proxy.http; set only one
{{- end }}
{{- if and .existingSecret (not (or .httpsKey .httpKey)) }}
Neither proxy.httpsKey nor proxy.httpKey is set; proxy.existingSecret needs one of them
{{- end }}
{{- with $.Values.networkPolicy }}
{{- if and .enabled $.Values.proxy.existingSecret (not .egress.proxy.ports) }}
networkPolicy.egress.proxy.ports is not set; proxy.existingSecret needs it, because the chart cannot read the Secret
{{- end }}
{{- end }}
{{- end }}
{{- end -}}

{{- define "gainstream.guards.topics" -}}
{{- with .Values.topics }}
{{- $delays := include "gainstream.commas" .retryDelays | splitList "," }}
{{- $names := concat (include "gainstream.commas" .source | splitList ",") (list .deadLetter) }}
{{- $before := 0 }}
{{- range $delays }}
{{- $names = append $names (printf "%s-%s" $.Values.topics.retry (lower (trim .))) }}
{{- $ms := include "gainstream.ms" (trim .) | default "0" | int64 }}
{{- if or (le $ms $before) (gt $ms 86400000) }}
Cannot use topics.retryDelays: got {{ trim . | squote }}, want ascending durations of at most 24h, such as [30s, 5m, 30m]
{{- end }}
{{- $before = $ms }}
{{- end }}
{{- if gt (len $delays) 8 }}
Cannot use topics.retryDelays: got {{ len $delays }}, want at most 8
{{- end }}
{{- $seen := dict }}
{{- range $names }}
{{- $name := trim . }}
{{- if not (regexMatch "^[A-Za-z0-9._-]{1,249}$" $name) }}
Cannot use the topic {{ squote $name }}: want a name of at most 249 letters, digits, '.', '_' and '-'
{{- end }}
{{- /* The broker refuses a second topic whose name differs only in '.' and '_'. */}}
{{- $key := replace "." "_" $name }}
{{- if hasKey $seen $key }}
Cannot use the topic {{ squote $name }} twice: source, retry and dead-letter topics must differ ('.' and '_' count as the same)
{{- end }}
{{- $_ := set $seen $key true }}
{{- end }}
{{- if and .job.enabled (lt (int .partitions) 1) }}
topics.partitions is not set; topics.job.enabled needs it
{{- end }}
{{- if and .job.enabled $.Values.kafka.sasl.password }}
topics.job.enabled does not work with kafka.sasl.password, because the Job runs before the chart creates the Secret; set kafka.sasl.existingSecret
{{- end }}
{{- end }}
{{- end -}}
