{{/* More of _guards.tpl: what a parent chart asks for, and where the images come from. */}}
{{- define "gainstream.guards.parent" -}}
{{- if not .Values.enabled }}
Cannot leave {{ .Chart.Name }} out: got enabled: false, which no condition asks for, want condition: {{ .Chart.Name }}.enabled at this dependency in the parent's Chart.yaml, or no install
{{- end }}
{{- end -}}

{{- define "gainstream.guards.image" -}}
{{- $global := (.Values.global).imageRegistry }}
{{- with include "gainstream.registryOf" .Values.image.repository }}
{{- range $place, $registry := dict "global.imageRegistry" $global "image.registry" $.Values.image.registry }}
{{- if $registry }}
Cannot pull the image from two registries: got {{ $place }} {{ squote $registry }} and {{ squote $.Values.image.repository }}, want image.repository without a registry
{{- end }}
{{- end }}
{{- end }}
{{- if .Values.topics.job.enabled | and $global (include "gainstream.registryOf" .Values.topics.job.image) }}
Cannot pull the Job's image from two registries: got global.imageRegistry {{ squote $global }} and {{ squote .Values.topics.job.image }}, want topics.job.image without a registry
{{- end }}
{{- if regexMatch ":[^/]*$|@" .Values.image.repository }}
Cannot use image.repository: got {{ squote .Values.image.repository }}, want it without a tag or digest, which go to image.tag and image.digest
{{- end }}
{{- end -}}
