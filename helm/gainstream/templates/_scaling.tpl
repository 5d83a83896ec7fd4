{{/*
One at a time, out and in: every change of members is a rebalance. A first install with an old topic wants all replicas at once,
and most often it is the target that sets the pace.
*/}}
{{- define "gainstream.behavior" -}}
scaleUp:
  stabilizationWindowSeconds: {{ .Values.autoscaling.scaleOutAfterSeconds }}
  policies:
    - { type: Pods, value: 1, periodSeconds: {{ .Values.autoscaling.scaleOutAfterSeconds }} }
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

{{/* A question to Prometheus that has an answer while everything waits. Where only the dead letters of one cause wait, all others go on. */}}
{{- define "gainstream.held" -}}
{{- $series := include "gainstream.series" . -}}
(max(gainstream_hold{ {{- $series }}, reason!="flooded"}) == 1 or max(gainstream_dead_letter_limit{ {{- $series }}, scope="all"}) >= 0)
{{- end -}}
