{{/* More of _guards.tpl: how many pods, who watches them, and how they are named. */}}
{{- define "gainstream.guards.replicas" -}}
{{- $partitions := int .Values.topics.partitions }}
{{- $surge := .Values.updateStrategy.maxSurge }}
{{- $isWhole := regexMatch "^[0-9]+$" (toString $surge) }}
{{- if and (regexMatch "^0%?$" (toString $surge)) (regexMatch "^0%?$" (toString .Values.updateStrategy.maxUnavailable)) }}
Cannot update: got 0 for updateStrategy.maxSurge and maxUnavailable, want at least 1 for one of them
{{- end }}
{{- with .Values.autoscaling }}
{{- if .enabled }}
{{- if lt $partitions 1 }}
Cannot scale without topics.partitions: got {{ $partitions }}, want how many partitions the source has: more replicas would stand idle
{{- else if gt (int .maxReplicas) $partitions }}
Cannot use autoscaling.maxReplicas: got {{ .maxReplicas }}, want at most topics.partitions, {{ $partitions }}: more replicas would stand idle
{{- end }}
{{- $max := .maxReplicas | default $partitions | int }}
{{- if and $max (gt (int .minReplicas) $max) }}
Cannot use autoscaling.minReplicas: got {{ .minReplicas }}, want at most the largest number of replicas, {{ $max }}
{{- end }}
{{- if and (eq .kind "keda") (gt (int .keda.fallbackReplicas) $max) }}
Cannot use autoscaling.keda.fallbackReplicas: got {{ .keda.fallbackReplicas }}, want at most the largest number of replicas, {{ $max }}
{{- end }}
{{- if and (eq .kind "hpa") (not (dig "requests" "cpu" "" $.Values.resources)) }}
Cannot scale by CPU: got autoscaling.kind: hpa without resources.requests.cpu, want a request that the percentage is of
{{- end }}
{{- else if and $partitions (gt (int $.Values.replicaCount) $partitions) }}
Cannot use replicaCount: got {{ $.Values.replicaCount }}, want at most topics.partitions, {{ $partitions }}: more replicas would stand idle
{{- else if and $partitions $isWhole (gt (int $surge) 0) (gt (add $.Values.replicaCount $surge) $partitions) }}
Cannot use updateStrategy.maxSurge: got {{ $surge }} above {{ $.Values.replicaCount }} replicas, want at most topics.partitions together, {{ $partitions }}
{{- end }}
{{- end }}
{{- end -}}

{{- define "gainstream.guards.budget" -}}
{{- with .Values.podDisruptionBudget }}
{{- if .enabled }}
{{- $hasMin := ne (toString .minAvailable) "" }}
{{- $hasMax := ne (toString .maxUnavailable) "" }}
{{- $replicas := $.Values.autoscaling.enabled | ternary $.Values.autoscaling.minReplicas $.Values.replicaCount }}
{{- if and $hasMin $hasMax }}
Cannot use both limits: got podDisruptionBudget.minAvailable and maxUnavailable, want one of them
{{- else if and $hasMax (regexMatch "^0%?$" (toString .maxUnavailable)) }}
Cannot forbid every eviction: got podDisruptionBudget.maxUnavailable {{ .maxUnavailable }}, want at least 1: no node could be drained
{{- else if and $hasMin (eq (toString .minAvailable) "100%") }}
Cannot forbid every eviction: got podDisruptionBudget.minAvailable 100%, want less: no node could be drained
{{- else if and $hasMin (regexMatch "^[0-9]+$" (toString .minAvailable)) (ge (int .minAvailable) (int $replicas)) }}
Cannot forbid every eviction: got podDisruptionBudget.minAvailable {{ .minAvailable }} of {{ $replicas }} replicas, want fewer: no node could be drained
{{- end }}
{{- end }}
{{- end }}
{{- end -}}

{{- define "gainstream.guards.resources" -}}
{{- range $place, $resources := dict "resources" .Values.resources "topics.job.resources" .Values.topics.job.resources "tests.resources" .Values.tests.resources }}
{{- $limits := ($resources).limits | default dict }}
{{- range $name, $request := ($resources).requests | default dict }}
{{- $limit := get $limits $name }}
{{- if hasKey $limits $name | and (gt (include "gainstream.quantity" $request | float64) (include "gainstream.quantity" $limit | float64)) }}
Cannot use {{ $place }}.requests.{{ $name }}: got {{ $request }}, want at most {{ $place }}.limits.{{ $name }}, {{ $limit }}
{{- end }}
{{- end }}
{{- end }}
{{- end -}}

{{/* A quantity such as 250m, 1.5 or 320Mi as a number, good enough to compare. */}}
{{- define "gainstream.quantity" -}}
{{- $units := dict "m" 0.001 "k" 1e3 "M" 1e6 "G" 1e9 "T" 1e12 "P" 1e15 "E" 1e18 "Ki" 1024 "Mi" 1048576 "Gi" 1073741824 "Ti" 1099511627776 "Pi" 1125899906842624 "Ei" 1152921504606846976 -}}
{{- if kindIs "string" . -}}
{{- mulf (regexFind "^[0-9.]+" . | float64) (get $units (regexFind "[A-Za-z]+$" .) | default 1) -}}
{{- else -}}
{{- float64 . -}}
{{- end -}}
{{- end -}}

{{- define "gainstream.guards.networks" -}}
{{- range $to, $egress := pick .Values.networkPolicy.egress "kafka" "tokens" "schemaRegistry" "gainsight" "proxy" }}
{{- range $egress.cidrs }}
{{- if contains ":" . | not }}
{{- $address := 0 }}
{{- range splitList "/" . | first | splitList "." }}
{{- $address = add (mul $address 256) (int .) }}
{{- end }}
{{- $size := 1 }}
{{- range until (sub 32 (splitList "/" . | last | int) | int) }}
{{- $size = mul $size 2 }}
{{- end }}
{{- if mod $address $size }}
Cannot use networkPolicy.egress.{{ $to }}.cidrs: got {{ . }}, want a network, which begins at a multiple of its size, or one address as {{ splitList "/" . | first }}/32
{{- end }}
{{- end }}
{{- end }}
{{- end }}
{{- end -}}

{{- define "gainstream.guards.monitoring" -}}
{{- with .Values.monitoring }}
{{- if and .serviceMonitor.enabled .podMonitor.enabled }}
Cannot scrape twice: got monitoring.serviceMonitor.enabled and monitoring.podMonitor.enabled, want one of them
{{- end }}
{{- end }}
{{- end -}}

{{- define "gainstream.guards.extras" -}}
{{- $name := include "gainstream.fullname" . }}
{{- if not (regexMatch "^[a-z]([-a-z0-9]*[a-z0-9])?$" $name) }}
Cannot name the objects {{ squote $name }}: a Service needs lower-case letters, digits and '-', and a letter first, want another release name or fullnameOverride
{{- end }}
{{- if hasKey (.Values.podAnnotations | default dict) "checksum/env" }}
Cannot set the annotation checksum/env by podAnnotations: the chart sets it, want another annotation
{{- end }}
{{- if eq .Values.serviceAccount.name "default" | and .Values.serviceAccount.create }}
Cannot make the ServiceAccount 'default': every namespace has it already, want serviceAccount.create: false, or another name
{{- end }}
{{- $places := dict "commonLabels" .Values.commonLabels "podLabels" .Values.podLabels "topics.job.podLabels" .Values.topics.job.podLabels "tests.podLabels" .Values.tests.podLabels }}
{{- range $kind, $values := .Values.monitoring }}
{{- $_ := set $places (printf "monitoring.%s.labels" $kind) $values.labels }}
{{- end }}
{{- range $place, $labels := $places }}
{{- range $label := keys ($labels | default dict) | sortAlpha }}
{{- if regexMatch "^(helm.sh/chart|app.kubernetes.io/(name|instance|version|managed-by))$" $label }}
Cannot set the label {{ $label }} by {{ $place }}: the chart sets it, want another label
{{- end }}
{{- end }}
{{- end }}
{{- end -}}
