{{/*
The annotations of a pod that ends, with those of the user, which take precedence: (list . annotations). They make a proxy of Istio or
Linkerd a native sidecar, which is ready before the container starts and ends with it. The proxy stays, because the brokers may require
the mesh's mutual TLS. Kubernetes has native sidecars from 1.29 on. Linkerd reads the name with `alpha` from 2.15 on, and the other
name from 2.20 on.
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
