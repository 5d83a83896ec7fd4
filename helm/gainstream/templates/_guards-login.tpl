{{/* More of _guards.tpl: what the service logs in to Kafka with. */}}
{{- define "gainstream.guards.login" -}}
{{- $logIn := include "gainstream.logIn" . }}
{{- with .Values.kafka.sasl }}
{{- if ne $logIn "password" }}
{{- if not .mechanism | and (or .username .existingSecret .passwordFile .password) }}
Cannot log in to Kafka: got a user or a password without kafka.sasl.mechanism, want 'plain', 'scram-sha-256' or 'scram-sha-512'
{{- else if or .username .existingSecret .passwordFile .password }}
Cannot log in to Kafka: got a user or a password beside kafka.sasl.mechanism: {{ .mechanism }}, want no kafka.sasl.username, existingSecret, passwordFile and password
{{- end }}
{{- else }}
{{- if not .username }}
Cannot log in to Kafka: got kafka.sasl.mechanism without kafka.sasl.username, want both
{{- end }}
{{- if not (or .existingSecret .passwordFile .password) }}
Cannot log in to Kafka: got kafka.sasl.mechanism without a password, want kafka.sasl.existingSecret, a Secret with the key {{ .passwordKey | squote }}
{{- end }}
{{- end }}
{{- if and .existingSecret .password }}
Cannot use two passwords for Kafka: got kafka.sasl.existingSecret and kafka.sasl.password, want one of them
{{- end }}
{{- end }}
{{- include "gainstream.guards.oauth" . }}
{{- include "gainstream.guards.msk" . }}
{{- if has $logIn (list "client" "token" "aws") }}
{{- $mechanism := .Values.kafka.sasl.mechanism }}
{{- if .Values.topics.job.enabled }}
Cannot make topics by a Job with kafka.sasl.mechanism: {{ $mechanism }}: it logs in by password or certificate only, want topics.job.enabled: false
{{- end }}
{{- if .Values.autoscaling.enabled | and (eq .Values.autoscaling.kind "keda") }}
Cannot let KEDA scale with kafka.sasl.mechanism: {{ $mechanism }}: it would need an identity of its own, want autoscaling.kind: hpa
{{- end }}
{{- end }}
{{- end -}}

{{- define "gainstream.guards.oauth" -}}
{{- with .Values.kafka.sasl.oauth }}
{{- $audience := .serviceAccountToken.audience }}
{{- $sources := list .tokenUrl $audience .tokenFile | compact }}
{{- if ne (toString $.Values.kafka.sasl.mechanism) "oauthbearer" }}
{{- if or $sources .clientId .existingSecret .clientSecretFile .scope .extensions }}
Cannot use kafka.sasl.oauth: got kafka.sasl.mechanism {{ squote $.Values.kafka.sasl.mechanism }}, want 'oauthbearer'
{{- end }}
{{- else if ne (len $sources) 1 }}
Cannot log in to Kafka by OAuth: got {{ len $sources }} of kafka.sasl.oauth.tokenUrl, serviceAccountToken.audience and tokenFile, want one of them
{{- else if .tokenUrl }}
{{- include "gainstream.guards.url" (dict "name" "kafka.sasl.oauth.tokenUrl" "url" (regexReplaceAll "\\?[^@#]*$" .tokenUrl "")) }}
{{- if not (and .clientId (or .existingSecret .clientSecretFile)) }}
Cannot log in to Kafka by OAuth: got kafka.sasl.oauth.tokenUrl alone, want clientId and existingSecret, a Secret with the key {{ .clientSecretKey | squote }}
{{- end }}
{{- else if or .clientId .existingSecret .clientSecretFile .scope }}
Cannot log in to Kafka by OAuth: got kafka.sasl.oauth.clientId, existingSecret, clientSecretFile or scope without tokenUrl, want it beside tokenUrl only
{{- end }}
{{- end }}
{{- end -}}

{{- define "gainstream.guards.msk" -}}
{{- $isMsk := eq (toString .Values.kafka.sasl.mechanism) "aws-msk-iam" }}
{{- $region := .Values.kafka.sasl.aws.region }}
{{- if and $isMsk (not $region) }}
Cannot log in to Amazon MSK: got no kafka.sasl.aws.region, want the cluster's, such as eu-central-1
{{- end }}
{{- if and $isMsk (not .Values.kafka.tls.enabled) }}
Cannot log in to Amazon MSK without TLS: got kafka.tls.enabled: false, want true, because kafka.sasl.mechanism is aws-msk-iam
{{- end }}
{{- if and $region (not $isMsk) }}
Cannot use kafka.sasl.aws: got kafka.sasl.mechanism {{ squote .Values.kafka.sasl.mechanism }}, want 'aws-msk-iam'
{{- end }}
{{- end -}}
