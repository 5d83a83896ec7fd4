{{- define "gainstream.name" -}}
{{- .Values.nameOverride | default .Chart.Name | trunc 63 | trimSuffix "-" -}}
{{- end -}}

{{/* Short enough for our endings. Below a parent chart a cut name ends with a hash, because two aliases in one release would otherwise
have the same name. */}}
{{- define "gainstream.fullname" -}}
{{- $name := include "gainstream.name" . -}}
{{- $both := contains $name .Release.Name | ternary .Release.Name (printf "%s-%s" .Release.Name $name) -}}
{{- $full := .Values.fullnameOverride | default $both | trimSuffix "-" -}}
{{- $cut := .Chart.IsRoot | ternary (trunc 45 $full) (printf "%s-%s" (trunc 38 $full | trimSuffix "-") (sha256sum $full | trunc 6)) -}}
{{- gt (len $full) 45 | ternary (trimSuffix "-" $cut) $full -}}
{{- end -}}

{{- define "gainstream.selectorLabels" -}}
app.kubernetes.io/name: {{ include "gainstream.name" . | quote }}
app.kubernetes.io/instance: {{ .Release.Name | quote }}
{{- end -}}

{{/* The labels of an object, with more labels: (list . labels) */}}
{{- define "gainstream.labels" -}}
{{- $root := index . 0 -}}
helm.sh/chart: {{ printf "%s-%s" $root.Chart.Name $root.Chart.Version | replace "+" "_" }}
{{ include "gainstream.selectorLabels" $root }}
app.kubernetes.io/version: {{ $root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ $root.Release.Service }}
{{- with include "gainstream.merged" (list $root.Values.commonLabels (index . 1)) }}
{{ . }}
{{- end }}
{{- end -}}

{{/* Without the version of the chart, because a new version would restart the pods for nothing. */}}
{{- define "gainstream.podLabels" -}}
{{ include "gainstream.selectorLabels" . }}
{{- with include "gainstream.merged" (list .Values.commonLabels .Values.podLabels) }}
{{ . }}
{{- end }}
{{- end -}}

{{/* The labels of a pod that the Service must not select, with the pod's own values: (list . "ending" own) */}}
{{- define "gainstream.errandLabels" -}}
{{ include "gainstream.errandSelectorLabels" . }}
{{- $values := (index . 0).Values }}
{{- with include "gainstream.merged" (list $values.commonLabels $values.podLabels (index . 2).podLabels) }}
{{ . }}
{{- end }}
{{- end -}}

{{- define "gainstream.errandSelectorLabels" -}}
app.kubernetes.io/name: {{ printf "%s-%s" (include "gainstream.name" (index . 0) | trunc 55) (index . 1) | quote }}
app.kubernetes.io/instance: {{ (index . 0).Release.Name | quote }}
{{- end -}}

{{/* The name and labels of an object: (list . "-ending"), or (list . "-ending" labels) for more labels. All text is quoted, because a
name may look like a number. */}}
{{- define "gainstream.metadata" -}}
{{- $root := index . 0 -}}
name: {{ printf "%s%s" (include "gainstream.fullname" $root) (index . 1) | quote }}
namespace: {{ $root.Release.Namespace | quote }}
labels:
  {{- include "gainstream.labels" (list $root (eq (len .) 3 | ternary (last .) dict)) | nindent 2 }}
{{- end -}}

{{- define "gainstream.serviceAccountName" -}}
{{- $made := .Values.serviceAccount.create | ternary (include "gainstream.fullname" .) "default" -}}
{{- .Values.serviceAccount.name | default $made -}}
{{- end -}}
