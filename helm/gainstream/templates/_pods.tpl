{{/* A value after evaluation of its templates: (list . value) */}}
{{- define "gainstream.filled" -}}
{{- tpl (index . 1 | toYaml) (index . 0) -}}
{{- end -}}

{{/* One map from several, or nothing: (list map map ...). The last map takes precedence. The content is copied, because the values are
used again. */}}
{{- define "gainstream.merged" -}}
{{- $merged := dict -}}
{{- range . -}}
{{- $merged = mergeOverwrite $merged (deepCopy (. | default dict)) -}}
{{- end -}}
{{- with $merged -}}
{{- toYaml . -}}
{{- end -}}
{{- end -}}

{{/* The part that the pods of the service, of the Job and of `helm test` share: (list . own). Empty values of their own are replaced by
those of the service. */}}
{{- define "gainstream.podSpec" -}}
{{- $root := index . 0 -}}
{{- $own := index . 1 -}}
automountServiceAccountToken: false
# Otherwise every Service of the namespace becomes variables such as KAFKA_PORT.
enableServiceLinks: false
{{- with include "gainstream.pullSecrets" $root }}
imagePullSecrets:
  {{- . | nindent 2 }}
{{- end }}
{{- with $own.priorityClassName | default $root.Values.priorityClassName }}
priorityClassName: {{ . | quote }}
{{- end }}
{{- with $root.Values.hostAliases }}
hostAliases:
  {{- include "gainstream.filled" (list $root .) | nindent 2 }}
{{- end }}
{{- with $root.Values.dnsPolicy }}
dnsPolicy: {{ . }}
{{- end }}
{{- with $root.Values.dnsConfig }}
dnsConfig:
  {{- include "gainstream.filled" (list $root .) | nindent 2 }}
{{- end }}
{{- with include "gainstream.merged" (list $root.Values.podSecurityContext $own.podSecurityContext) }}
securityContext:
  {{- . | nindent 2 }}
{{- end }}
{{- with $own.nodeSelector | default $root.Values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $own.tolerations | default $root.Values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- /* Rules about pods keep the replicas apart. A Job that had to keep apart from them too might find no node. */}}
{{- with $own.affinity | default (pick ($root.Values.affinity | default dict) "nodeAffinity") }}
affinity:
  {{- include "gainstream.filled" (list $root .) | nindent 2 }}
{{- end }}
{{- end -}}

{{/* The annotations of the pod of the Job or of `helm test`: (list . own more) */}}
{{- define "gainstream.errandPodAnnotations" -}}
{{- $own := include "gainstream.merged" (list (index . 0).Values.podAnnotations (index . 1).podAnnotations (index . 2)) | fromYaml -}}
{{- include "gainstream.errandAnnotations" (list (index . 0) $own) -}}
{{- end -}}

{{/* The Job runs before Helm creates the chart's ServiceAccount. */}}
{{- define "gainstream.jobServiceAccountName" -}}
{{- with .Values -}}
{{- .topics.job.serviceAccountName | default (.serviceAccount.create | ternary "" .serviceAccount.name) | default "default" -}}
{{- end -}}
{{- end -}}
