{{/* An image's name with its registry. That of a parent chart wins, as in other charts, but not over a registry within the name: the
parent's may have other images only. (list . registry name) */}}
{{- define "gainstream.pulled" -}}
{{- $registry := ((index . 0).Values.global).imageRegistry | default (index . 1) | default "" | trimSuffix "/" -}}
{{- $name := index . 2 | default "" -}}
{{- include "gainstream.registryOf" $name | empty | ternary (compact (list $registry $name) | join "/") $name -}}
{{- end -}}

{{- define "gainstream.image" -}}
{{- with .Values.image -}}
{{- $name := include "gainstream.pulled" (list $ .registry .repository) -}}
{{- .digest | empty | ternary (printf "%s:%s" $name (.tag | default $.Chart.AppVersion)) (printf "%s@%s" $name .digest) -}}
{{- end -}}
{{- end -}}

{{/* The registry that a name begins with, if it does: a part before the first '/' that looks like a host. */}}
{{- define "gainstream.registryOf" -}}
{{- regexFind "^([^/]*[.:][^/]*|localhost)/" . | trimSuffix "/" -}}
{{- end -}}

{{/* Secrets to pull with, the parent chart's first, each once. */}}
{{- define "gainstream.pullSecrets" -}}
{{- $names := list -}}
{{- range concat ((.Values.global).imagePullSecrets | default list) (.Values.imagePullSecrets | default list) -}}
{{- $names = append $names (kindIs "map" . | ternary . (dict "name" .)) -}}
{{- end -}}
{{- with uniq $names -}}
{{- toYaml . -}}
{{- end -}}
{{- end -}}
