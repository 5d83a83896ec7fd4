{{/* More of _guards.tpl: parent charts and images. */}}

{{/* Fails at once, because the other checks need these values. The template that Helm renders first calls it. */}}
{{- define "gainstream.sections" -}}
{{- $gone := list -}}
{{- range $name := list "image" "kafka" "schemaRegistry" "input" "gainsight" "proxy" "topics" "retry" "http" "service" "log" "updateStrategy" "autoscaling" "networkPolicy" "monitoring" "serviceAccount" "tests" -}}
{{- if kindIs "map" (get $.Values $name) | not }}{{ $gone = append $gone $name }}{{ end -}}
{{- end -}}
{{- if $gone -}}
{{- fail (printf "\n\nThe chart's values are missing below %s; for an upgrade, use --reset-then-reuse-values instead of --reuse-values\n" (join ", " $gone)) -}}
{{- end -}}
{{- end -}}

{{- define "gainstream.guards.parent" -}}
{{- if not .Values.enabled }}
enabled: false needs a condition; add condition: {{ .Chart.Name }}.enabled to this dependency in the parent's Chart.yaml
{{- end }}
{{- end -}}

{{- define "gainstream.guards.image" -}}
{{- $repository := .Values.image.repository | default "" }}
{{- if not $repository }}
image.repository is not set; want the name of the image, such as gainstream
{{- else if .Values.image.registry | and (include "gainstream.registryOf" $repository) }}
image.registry is {{ squote .Values.image.registry }}, but image.repository {{ squote $repository }} names a registry too; remove one of them
{{- else if regexMatch ":[^/]*$|@" $repository }}
Cannot use image.repository: got {{ squote .Values.image.repository }}, want a name without tag and digest; set image.tag or image.digest
{{- end }}
{{- end -}}
