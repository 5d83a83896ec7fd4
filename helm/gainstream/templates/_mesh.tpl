{{/*
Annotations of a pod that comes to an end, with those of a user, which win: (list . annotations). If Istio or Linkerd puts its proxy
beside the container, it is a native sidecar then: it is ready before the container begins, and it ends with it. The proxy stays in,
as the brokers may demand the mesh's mutual TLS. Kubernetes knows native sidecars from 1.29 on. Linkerd reads `alpha` from 2.15 on,
and the name without it from 2.20 on.
*/}}
{{- define "gainstream.errandAnnotations" -}}
{{- $root := index . 0 -}}
{{- $annotations := dict -}}
{{- if semverCompare ">=1.29.0-0" $root.Capabilities.KubeVersion.Version -}}
{{- range $name := list "sidecar.istio.io/nativeSidecar" "config.linkerd.io/proxy-enable-native-sidecar" "config.alpha.linkerd.io/proxy-enable-native-sidecar" -}}
{{- $_ := set $annotations $name "true" -}}
{{- end -}}
{{- end -}}
{{- with mergeOverwrite $annotations (index . 1 | default dict) }}
{{- toYaml . }}
{{- end }}
{{- end -}}
