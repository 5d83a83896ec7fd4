{{/* Rules that several NetworkPolicies share: those of the service, of the topics Job and of `helm test`. */}}
{{- define "gainstream.egressToDns" -}}
{{- with .Values.networkPolicy.egress.dns.ports }}
# DNS
- ports:
    {{- range . }}
    - { port: {{ . }}, protocol: UDP }
    - { port: {{ . }}, protocol: TCP }
    {{- end }}
{{- end }}
{{- end -}}

{{- define "gainstream.egressToBrokers" -}}
# Brokers
{{- $ports := list }}
{{- range splitList "," (include "gainstream.commas" .Values.kafka.brokers) }}
{{- $ports = append $ports (trim . | splitList ":" | last | int) }}
{{- end }}
{{- with .Values.networkPolicy.egress.kafka }}
{{ include "gainstream.egress" (dict "cidrs" .cidrs "ports" (.ports | default (uniq $ports))) }}
{{- end }}
{{- end -}}

{{/* Rules for sidecars, such as the proxy of a mesh: (list . "ingress") or (list . "egress") */}}
{{- define "gainstream.sidecarRules" -}}
{{- with get ((index . 0).Values.networkPolicy.sidecars | default dict) (index . 1) }}
# Sidecars
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/* Ingress to a pod without a server: only to its sidecars. An empty list would mean the same, but the API server drops it, and a tool
that compares would always find a difference. */}}
{{- define "gainstream.ingressToErrand" -}}
{{- with include "gainstream.sidecarRules" (list . "ingress") | trim }}
ingress:
  {{- . | nindent 2 }}
{{- end }}
{{- end -}}

{{- define "gainstream.proxyPorts" -}}
{{- $ports := .Values.networkPolicy.egress.proxy.ports | default list }}
{{- if not $ports }}
{{- range compact (list .Values.proxy.https .Values.proxy.http) }}
{{- $ports = append $ports (include "gainstream.port" . | int) }}
{{- end }}
{{- end }}
{{- uniq $ports | toYaml -}}
{{- end -}}

{{- define "gainstream.egress" -}}
- ports:
    {{- range .ports }}
    - { port: {{ . }}, protocol: TCP }
    {{- end }}
  {{- with .cidrs }}
  to:
    {{- range . }}
    - ipBlock: { cidr: {{ . | quote }} }
    {{- end }}
  {{- end }}
{{- end -}}
