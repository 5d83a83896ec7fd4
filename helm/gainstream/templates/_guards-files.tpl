{{/* More of _guards.tpl: secrets in files that another program writes, such as Vault's agent. */}}
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
{{ .name }} and {{ .other }} are both set; set only one
{{- end }}
{{- end }}
{{- if ne (empty $tls.client.certFile) (empty $tls.client.keyFile) }}
Only one of kafka.tls.client.certFile and keyFile is set; set both
{{- end }}
{{- if or $tls.ca.file $tls.client.certFile $tls.client.keyFile $sasl.passwordFile }}
{{- if .Values.topics.job.enabled | and (not .Values.topics.job.extraVolumes) }}
The topics Job has no file of kafka.tls or kafka.sasl; add it by topics.job.extraVolumes, use a Secret, or set topics.job.enabled to false
{{- end }}
{{- if .Values.autoscaling.enabled | and (eq .Values.autoscaling.kind "keda") }}
KEDA cannot read a file of kafka.tls or kafka.sasl; use a Secret, or set autoscaling.kind to hpa
{{- end }}
{{- end }}
{{- end -}}
