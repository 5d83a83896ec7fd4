{{- define "gainstream.name" -}}
{{- .Values.nameOverride | default .Chart.Name | trunc 63 | trimSuffix "-" -}}
{{- end -}}

{{/* Short enough to leave room for the endings of ours. */}}
{{- define "gainstream.fullname" -}}
{{- $name := include "gainstream.name" . -}}
{{- $both := contains $name .Release.Name | ternary .Release.Name (printf "%s-%s" .Release.Name $name) -}}
{{- .Values.fullnameOverride | default $both | trunc 45 | trimSuffix "-" -}}
{{- end -}}

{{- define "gainstream.selectorLabels" -}}
app.kubernetes.io/name: {{ include "gainstream.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "gainstream.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{ include "gainstream.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- with .Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/* Without the chart's version, which would restart the pods for nothing. */}}
{{- define "gainstream.podLabels" -}}
{{ include "gainstream.selectorLabels" . }}
{{- with mergeOverwrite dict .Values.commonLabels .Values.podLabels }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/* Labels of a pod that the Service must not find: (list . "ending") */}}
{{- define "gainstream.errandLabels" -}}
app.kubernetes.io/name: {{ include "gainstream.name" (index . 0) }}-{{ index . 1 }}
app.kubernetes.io/instance: {{ (index . 0).Release.Name }}
{{- with (index . 0).Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/* Name and labels of an object: (list . "-ending") */}}
{{- define "gainstream.metadata" -}}
{{- $root := index . 0 -}}
name: {{ include "gainstream.fullname" $root }}{{ index . 1 }}
namespace: {{ $root.Release.Namespace }}
labels:
  {{- include "gainstream.labels" $root | nindent 2 }}
{{- end -}}

{{- define "gainstream.serviceAccountName" -}}
{{- $made := .Values.serviceAccount.create | ternary (include "gainstream.fullname" .) "default" -}}
{{- .Values.serviceAccount.name | default $made -}}
{{- end -}}

{{- define "gainstream.image" -}}
{{- with .Values.image -}}
{{- $tag := .tag | default $.Chart.AppVersion -}}
{{- .digest | empty | not | ternary (printf "%s@%s" .repository .digest) (printf "%s:%s" .repository $tag) -}}
{{- end -}}
{{- end -}}
