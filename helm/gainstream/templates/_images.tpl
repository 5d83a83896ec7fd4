{{/* The name of an image with its registry: (list . registry name). The registry of a parent chart takes precedence, but not over a
registry in the name, because the parent's registry may not have that image. */}}
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

{{/* The registry in the name of an image: the part before the first '/', if it looks like a host. */}}
{{- define "gainstream.registryOf" -}}
{{- regexFind "^([^/]*[.:][^/]*|localhost)/" . | trimSuffix "/" -}}
{{- end -}}

{{/* The pull Secrets, those of the parent chart first, each once. */}}
{{- define "gainstream.pullSecrets" -}}
{{- $names := list -}}
{{- range concat ((.Values.global).imagePullSecrets | default list) (.Values.imagePullSecrets | default list) -}}
{{- $names = append $names (kindIs "map" . | ternary . (dict "name" .)) -}}
{{- end -}}
{{- with uniq $names -}}
{{- toYaml . -}}
{{- end -}}
{{- end -}}
