{{/*
What no schema can say: what is needed, what belongs together, what contradicts. Each template here prints sentences, one a
line, and nothing where all is well. Secrets are never printed.
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
Cannot go without kafka.brokers: got nothing, want host:port, such as [kafka-1:9092, kafka-2:9092]
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
Cannot use certificates without TLS: got kafka.tls.enabled: false, want true, because kafka.tls.ca or kafka.tls.client is given
{{- end }}
{{- if and .ca.existingSecret .ca.existingConfigMap }}
Cannot use two certificate authorities: got kafka.tls.ca.existingSecret and existingConfigMap, want one of them
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
Cannot read by the registry's header: got input.format: registry without schemaRegistry.url, want its address, or another format
{{- else if .username }}
Cannot log in to a registry: got schemaRegistry.username without schemaRegistry.url, want both
{{- end }}
{{- if and .username (not (or .existingSecret .passwordFile .password)) }}
Cannot log in to the registry: got schemaRegistry.username without a password, want schemaRegistry.existingSecret, a Secret with the key {{ .passwordKey | squote }}
{{- end }}
{{- if and (not .username) (or .existingSecret .passwordFile .password) }}
Cannot log in to the registry: got a password without schemaRegistry.username, want both
{{- end }}
{{- if and .existingSecret .password }}
Cannot use two passwords for the registry: got schemaRegistry.existingSecret and schemaRegistry.password, want one of them
{{- end }}
{{- end }}
{{- end -}}

{{- define "gainstream.guards.gainsight" -}}
{{- with .Values.gainsight }}
{{- include "gainstream.guards.url" (dict "name" "gainsight.url" "url" .url) }}
{{- if not (or .existingSecret .accessKeyFile .accessKey) }}
Cannot go without an access key: got no gainsight.existingSecret, want the name of a Secret that holds the key under {{ .accessKeyKey | squote }}
{{- end }}
{{- if and .existingSecret .accessKey }}
Cannot use two access keys: got gainsight.existingSecret and gainsight.accessKey, want one of them
{{- end }}
{{- if and .accessKey (not (regexMatch "^[!-~]{36}$" .accessKey)) }}
Cannot use gainsight.accessKey: got {{ len .accessKey }} characters, want the 36 of a Gainsight access key
{{- end }}
{{- $timeout := include "gainstream.ms" .timeout | default "0" | int64 }}
{{- if or (lt $timeout 10) (gt $timeout 25000) }}
Cannot use gainsight.timeout: got {{ squote .timeout }}, want a duration from 10ms to 25s
{{- end }}
{{- if gt (include "gainstream.ms" .breaker.probeMin | int64) (include "gainstream.ms" .breaker.probeMax | int64) }}
Cannot use gainsight.breaker.probeMin: got {{ squote .breaker.probeMin }}, want at most gainsight.breaker.probeMax, {{ squote .breaker.probeMax }}
{{- end }}
{{- end }}
{{- end -}}

{{- define "gainstream.guards.proxy" -}}
{{- with .Values.proxy }}
{{- range $name, $url := dict "proxy.https" (.https | default "") "proxy.http" (.http | default "") }}
{{- if contains "@" $url }}
Cannot use {{ $name }}: got {{ regexReplaceAll "^.*@" $url "***@" | squote }}, want an address with credentials in proxy.existingSecret
{{- else if and $url (not (regexMatch "^https?://[^\\s?#/]+/?$" $url)) }}
Cannot use {{ $name }}: got {{ squote $url }}, want an http:// or https:// address such as http://proxy:3128
{{- else if and $url (include "gainstream.port" $url | int | lt 65535) }}
Cannot use {{ $name }}: got the port {{ include "gainstream.port" $url }}, want at most 65535
{{- end }}
{{- end }}
{{- if and .existingSecret (or .https .http) }}
Cannot use proxies out of two places: got proxy.existingSecret beside proxy.https or proxy.http, want one of them
{{- end }}
{{- if and .existingSecret (not (or .httpsKey .httpKey)) }}
Cannot find a proxy: got proxy.existingSecret without proxy.httpsKey and proxy.httpKey, want one of them
{{- end }}
{{- with $.Values.networkPolicy }}
{{- if and .enabled $.Values.proxy.existingSecret (not .egress.proxy.ports) }}
Cannot let calls out to the proxy: got proxy.existingSecret without networkPolicy.egress.proxy.ports, want its port, which nobody sees in the Secret
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
Cannot use the topic {{ squote $name }} twice: want another one for each of topics.source, every retry tier and topics.deadLetter
{{- end }}
{{- $_ := set $seen $key true }}
{{- end }}
{{- if and .job.enabled (lt (int .partitions) 1) }}
Cannot make topics: got topics.job.enabled without topics.partitions, want how many partitions they shall have
{{- end }}
{{- if and .job.enabled $.Values.kafka.sasl.password }}
Cannot make topics with kafka.sasl.password: the Job runs before the chart's own Secret is there, want kafka.sasl.existingSecret
{{- end }}
{{- end }}
{{- end -}}
