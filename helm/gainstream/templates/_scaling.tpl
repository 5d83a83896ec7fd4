{{/*
One replica at a time, because every change of the group is a rebalance. A first install with an old topic would ask for all replicas
at once, and usually Gainsight limits the speed.
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

{{/* The label matchers for the series of this release. */}}
{{- define "gainstream.series" -}}
{{- $byDefault := printf "namespace=\"%s\", pod=~\"%s-[a-z0-9]+-[a-z0-9]+\"" .Release.Namespace (include "gainstream.fullname" .) -}}
{{- .Values.monitoring.prometheusRule.selector | default $byDefault -}}
{{- end -}}

{{/* A PromQL query with a result only while all events wait, and not while only events of one cause wait. */}}
{{- define "gainstream.held" -}}
{{- $series := include "gainstream.series" . -}}
(max(gainstream_hold{ {{- $series }}, reason!="flooded"}) == 1 or max(gainstream_dead_letter_limit{ {{- $series }}, scope="all"}) >= 0)
{{- end -}}
