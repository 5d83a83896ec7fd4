{{/* Out quickly, in slowly: every change of members is a rebalance. */}}
{{- define "gainstream.behavior" -}}
scaleUp:
  stabilizationWindowSeconds: 60
  policies:
    - { type: Percent, value: 100, periodSeconds: 60 }
scaleDown:
  stabilizationWindowSeconds: {{ .Values.autoscaling.scaleInAfterSeconds }}
  policies:
    - { type: Pods, value: 1, periodSeconds: 300 }
{{- end -}}

{{/* The label matchers of this release's series. */}}
{{- define "gainstream.series" -}}
{{- $byDefault := printf "namespace=\"%s\", pod=~\"%s-[a-z0-9]+-[a-z0-9]+\"" .Release.Namespace (include "gainstream.fullname" .) -}}
{{- .Values.monitoring.prometheusRule.selector | default $byDefault -}}
{{- end -}}
