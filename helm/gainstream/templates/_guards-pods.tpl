{{/* More of _guards.tpl: the number of pods, their networks, their monitoring and their names. */}}
{{- define "gainstream.guards.replicas" -}}
{{- $partitions := int .Values.topics.partitions }}
{{- $surge := .Values.updateStrategy.maxSurge }}
{{- $isWhole := regexMatch "^[0-9]+$" (toString $surge) }}
{{- if and (regexMatch "^0%?$" (toString $surge)) (regexMatch "^0%?$" (toString .Values.updateStrategy.maxUnavailable)) }}
updateStrategy.maxSurge and maxUnavailable are both 0; set one of them to at least 1
{{- end }}
{{- with .Values.autoscaling }}
{{- if .enabled }}
{{- if lt $partitions 1 }}
topics.partitions is not set; autoscaling.enabled needs it
{{- else if gt (int .maxReplicas) $partitions }}
Cannot use autoscaling.maxReplicas: got {{ .maxReplicas }}, want at most topics.partitions, which is {{ $partitions }}, because more replicas would be idle
{{- end }}
{{- $max := .maxReplicas | default $partitions | int }}
{{- if and $max (gt (int .minReplicas) $max) }}
Cannot use autoscaling.minReplicas: got {{ .minReplicas }}, want at most the maximum number of replicas, which is {{ $max }}
{{- end }}
{{- if and (eq .kind "keda") (gt (int .keda.fallbackReplicas) $max) }}
Cannot use autoscaling.keda.fallbackReplicas: got {{ .keda.fallbackReplicas }}, want at most the maximum number of replicas, which is {{ $max }}
{{- end }}
{{- if and (eq .kind "hpa") (not (dig "requests" "cpu" "" $.Values.resources)) }}
resources.requests.cpu is not set; autoscaling.kind: hpa needs it
{{- end }}
{{- else if and $partitions (gt (int $.Values.replicaCount) $partitions) }}
Cannot use replicaCount: got {{ $.Values.replicaCount }}, want at most topics.partitions, which is {{ $partitions }}, because more replicas would be idle
{{- else if and $partitions $isWhole (gt (int $surge) 0) (gt (add $.Values.replicaCount $surge) $partitions) }}
Cannot use updateStrategy.maxSurge: got {{ $surge }} besides {{ $.Values.replicaCount }} replicas, want together at most topics.partitions, which is {{ $partitions }}
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
podDisruptionBudget.minAvailable and maxUnavailable are both set; set only one
{{- else if and $hasMax (regexMatch "^0%?$" (toString .maxUnavailable)) }}
Cannot use podDisruptionBudget.maxUnavailable: got {{ .maxUnavailable }}, want at least 1, so that nodes can be drained
{{- else if and $hasMin (eq (toString .minAvailable) "100%") }}
Cannot use podDisruptionBudget.minAvailable: got 100%, want less, so that nodes can be drained
{{- else if and $hasMin (regexMatch "^[0-9]+$" (toString .minAvailable)) (ge (int .minAvailable) (int $replicas)) }}
Cannot use podDisruptionBudget.minAvailable: got {{ .minAvailable }} of {{ $replicas }} replicas, want fewer, so that nodes can be drained
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
Cannot use {{ $place }}.requests.{{ $name }}: got {{ $request }}, want at most {{ $place }}.limits.{{ $name }}, which is {{ $limit }}
{{- end }}
{{- end }}
{{- end }}
{{- end -}}

{{/* A quantity such as 250m, 1.5 or 320Mi as a number, for comparison only. */}}
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
Cannot use networkPolicy.egress.{{ $to }}.cidrs: got {{ . }}, want the first address of the network, or a single address such as {{ splitList "/" . | first }}/32
{{- end }}
{{- end }}
{{- end }}
{{- end }}
{{- end -}}

{{- define "gainstream.guards.monitoring" -}}
{{- with .Values.monitoring }}
{{- if and .serviceMonitor.enabled .podMonitor.enabled }}
monitoring.serviceMonitor.enabled and monitoring.podMonitor.enabled are both true; enable only one
{{- end }}
{{- end }}
{{- end -}}

{{- define "gainstream.guards.extras" -}}
{{- $name := include "gainstream.fullname" . }}
{{- if not (regexMatch "^[a-z]([-a-z0-9]*[a-z0-9])?$" $name) }}
Cannot name the objects {{ squote $name }}: want lower-case letters, digits and '-', with a letter first; set another release name or fullnameOverride
{{- end }}
{{- if hasKey (.Values.podAnnotations | default dict) "checksum/env" }}
Cannot set the annotation checksum/env by podAnnotations, because the chart sets it
{{- end }}
{{- if eq .Values.serviceAccount.name "default" | and .Values.serviceAccount.create }}
Cannot create the ServiceAccount 'default', because every namespace has one; set serviceAccount.create to false, or another name
{{- end }}
{{- $places := dict "commonLabels" .Values.commonLabels "podLabels" .Values.podLabels "topics.job.podLabels" .Values.topics.job.podLabels "tests.podLabels" .Values.tests.podLabels }}
{{- range $kind, $values := .Values.monitoring }}
{{- $_ := set $places (printf "monitoring.%s.labels" $kind) $values.labels }}
{{- end }}
{{- range $place, $labels := $places }}
{{- range $label := keys ($labels | default dict) | sortAlpha }}
{{- if regexMatch "^(helm.sh/chart|app.kubernetes.io/(name|instance|version|managed-by))$" $label }}
Cannot set the label {{ $label }} by {{ $place }}, because the chart sets it
{{- end }}
{{- end }}
{{- end }}
{{- end -}}
