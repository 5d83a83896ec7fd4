{{/* More of _guards.tpl: what a parent chart asks for, and where the images come from. */}}

{{/* Fails at once, as nothing can be said of the others then. Asked by the template that Helm renders first. */}}
{{- define "gainstream.sections" -}}
{{- $gone := list -}}
{{- range $name := list "image" "kafka" "schemaRegistry" "input" "gainsight" "proxy" "topics" "retry" "http" "service" "log" "updateStrategy" "autoscaling" "networkPolicy" "monitoring" "serviceAccount" "tests" -}}
{{- if kindIs "map" (get $.Values $name) | not }}{{ $gone = append $gone $name }}{{ end -}}
{{- end -}}
{{- if $gone -}}
{{- fail (printf "\n\nCannot go without the values below %s: got none, want those of the chart. For an upgrade, --reset-then-reuse-values brings them, and --reuse-values does not\n" (join ", " $gone)) -}}
{{- end -}}
{{- end -}}

{{- define "gainstream.guards.parent" -}}
{{- if not .Values.enabled }}
Cannot leave {{ .Chart.Name }} out: got enabled: false, which no condition asks for, want condition: {{ .Chart.Name }}.enabled at this dependency in the parent's Chart.yaml, or no install
{{- end }}
{{- end -}}

{{- define "gainstream.guards.image" -}}
{{- $repository := .Values.image.repository | default "" }}
{{- if not $repository }}
Cannot go without image.repository: got nothing, want the image's name, such as gainstream
{{- else if .Values.image.registry | and (include "gainstream.registryOf" $repository) }}
Cannot pull the image from two registries: got image.registry {{ squote .Values.image.registry }} and {{ squote $repository }}, want image.repository without a registry
{{- else if regexMatch ":[^/]*$|@" $repository }}
Cannot use image.repository: got {{ squote .Values.image.repository }}, want it without a tag or digest, which go to image.tag and image.digest
{{- end }}
{{- end -}}
