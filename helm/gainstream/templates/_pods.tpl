{{/* A value with its templates filled in: (list . value) */}}
{{- define "gainstream.filled" -}}
{{- tpl (index . 1 | toYaml) (index . 0) -}}
{{- end -}}

{{/* Maps as one, where the last one wins, or nothing: (list map map ...). What they hold is copied, as the values are used again. */}}
{{- define "gainstream.merged" -}}
{{- $merged := dict -}}
{{- range . -}}
{{- $merged = mergeOverwrite $merged (deepCopy (. | default dict)) -}}
{{- end -}}
{{- with $merged -}}
{{- toYaml . -}}
{{- end -}}
{{- end -}}

{{/* What the pods of the service, of the Job and of `helm test` have alike: (list . own), where what is empty among their own
is the service's. */}}
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

{{/* Annotations of the pod of the Job or of `helm test`: (list . own more) */}}
{{- define "gainstream.errandPodAnnotations" -}}
{{- $own := include "gainstream.merged" (list (index . 0).Values.podAnnotations (index . 1).podAnnotations (index . 2)) | fromYaml -}}
{{- include "gainstream.errandAnnotations" (list (index . 0) $own) -}}
{{- end -}}

{{/* The Job runs before the chart's own ServiceAccount is there. */}}
{{- define "gainstream.jobServiceAccountName" -}}
{{- with .Values -}}
{{- .topics.job.serviceAccountName | default (.serviceAccount.create | ternary "" .serviceAccount.name) | default "default" -}}
{{- end -}}
{{- end -}}
