{{/* More of _guards.tpl: secrets that something else puts there as files, such as Vault's agent. */}}
{{- define "gainstream.guards.files" -}}
{{- $tls := .Values.kafka.tls }}
{{- $sasl := .Values.kafka.sasl }}
{{- $registry := .Values.schemaRegistry }}
{{- $gainsight := .Values.gainsight }}
{{- range list
  (dict "file" $tls.ca.file "others" (list $tls.ca.existingSecret $tls.ca.existingConfigMap) "name" "kafka.tls.ca.file" "other" "kafka.tls.ca.existingSecret or existingConfigMap")
  (dict "file" $tls.client.certFile "others" (list $tls.client.existingSecret) "name" "kafka.tls.client.certFile" "other" "kafka.tls.client.existingSecret")
  (dict "file" $sasl.passwordFile "others" (list $sasl.existingSecret $sasl.password) "name" "kafka.sasl.passwordFile" "other" "kafka.sasl.existingSecret or password")
  (dict "file" $sasl.oauth.clientSecretFile "others" (list $sasl.oauth.existingSecret) "name" "kafka.sasl.oauth.clientSecretFile" "other" "kafka.sasl.oauth.existingSecret")
  (dict "file" $registry.passwordFile "others" (list $registry.existingSecret $registry.password) "name" "schemaRegistry.passwordFile" "other" "schemaRegistry.existingSecret or password")
  (dict "file" $gainsight.accessKeyFile "others" (list $gainsight.existingSecret $gainsight.accessKey) "name" "gainsight.accessKeyFile" "other" "gainsight.existingSecret or accessKey")
}}
{{- if and .file (compact .others) }}
Cannot use two of one secret: got {{ .name }} and {{ .other }}, want one of them
{{- end }}
{{- end }}
{{- if ne (empty $tls.client.certFile) (empty $tls.client.keyFile) }}
Cannot use half a certificate: got one of kafka.tls.client.certFile and keyFile, want both
{{- end }}
{{- if or $tls.ca.file $tls.client.certFile $tls.client.keyFile $sasl.passwordFile }}
{{- if .Values.topics.job.enabled | and (not .Values.topics.job.extraVolumes) }}
Cannot make topics by a Job with a file of kafka.tls or kafka.sasl: the Job's pod has no such file, want topics.job.extraVolumes that bring it, a Secret, or topics.job.enabled: false
{{- end }}
{{- if .Values.autoscaling.enabled | and (eq .Values.autoscaling.kind "keda") }}
Cannot let KEDA scale with a file of kafka.tls or kafka.sasl: it reads Secrets only, want a Secret, or autoscaling.kind: hpa
{{- end }}
{{- end }}
{{- end -}}
