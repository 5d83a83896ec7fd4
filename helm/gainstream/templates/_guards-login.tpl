{{/* More of _guards.tpl: the login to Kafka. */}}
{{- define "gainstream.guards.login" -}}
{{- $logIn := include "gainstream.logIn" . }}
{{- with .Values.kafka.sasl }}
{{- if ne $logIn "password" }}
{{- if not .mechanism | and (or .username .existingSecret .passwordFile .password) }}
kafka.sasl.mechanism is not set, but a user name or a password is; set it to 'plain', 'scram-sha-256' or 'scram-sha-512'
{{- else if or .username .existingSecret .passwordFile .password }}
kafka.sasl.mechanism: {{ .mechanism }} takes no user name and no password; remove kafka.sasl.username, existingSecret, passwordFile and password
{{- end }}
{{- else }}
{{- if not .username }}
kafka.sasl.username is not set; kafka.sasl.mechanism: {{ .mechanism }} needs it
{{- end }}
{{- if not (or .existingSecret .passwordFile .password) }}
kafka.sasl.mechanism: {{ .mechanism }} needs a password; set kafka.sasl.existingSecret to a Secret with the key {{ .passwordKey | squote }}
{{- end }}
{{- end }}
{{- if and .existingSecret .password }}
kafka.sasl.existingSecret and kafka.sasl.password are both set; set only one
{{- end }}
{{- end }}
{{- include "gainstream.guards.oauth" . }}
{{- include "gainstream.guards.msk" . }}
{{- if has $logIn (list "client" "token" "aws") }}
{{- $mechanism := .Values.kafka.sasl.mechanism }}
{{- if .Values.topics.job.enabled }}
topics.job.enabled does not work with kafka.sasl.mechanism: {{ $mechanism }}, because the Job logs in with a password or a certificate only; set it to false
{{- end }}
{{- if .Values.autoscaling.enabled | and (eq .Values.autoscaling.kind "keda") }}
autoscaling.kind: keda does not work with kafka.sasl.mechanism: {{ $mechanism }}, because KEDA would need its own identity; set it to hpa
{{- end }}
{{- end }}
{{- end -}}

{{- define "gainstream.guards.oauth" -}}
{{- with .Values.kafka.sasl.oauth }}
{{- $audience := .serviceAccountToken.audience }}
{{- $sources := list .tokenUrl $audience .tokenFile | compact }}
{{- if ne (toString $.Values.kafka.sasl.mechanism) "oauthbearer" }}
{{- if or $sources .clientId .existingSecret .clientSecretFile .scope .extensions }}
kafka.sasl.oauth is set, but kafka.sasl.mechanism is {{ squote $.Values.kafka.sasl.mechanism }}; set it to 'oauthbearer'
{{- end }}
{{- else if ne (len $sources) 1 }}
kafka.sasl.mechanism: oauthbearer needs exactly one of kafka.sasl.oauth.tokenUrl, serviceAccountToken.audience and tokenFile; got {{ len $sources }}
{{- else if .tokenUrl }}
{{- include "gainstream.guards.url" (dict "name" "kafka.sasl.oauth.tokenUrl" "url" (regexReplaceAll "\\?[^@#]*$" .tokenUrl "")) }}
{{- if not (and .clientId (or .existingSecret .clientSecretFile)) }}
kafka.sasl.oauth.tokenUrl needs clientId and existingSecret, a Secret with the key {{ .clientSecretKey | squote }}
{{- end }}
{{- else if or .clientId .existingSecret .clientSecretFile .scope }}
kafka.sasl.oauth.clientId, existingSecret, clientSecretFile and scope work only with tokenUrl; remove them
{{- end }}
{{- end }}
{{- end -}}

{{- define "gainstream.guards.msk" -}}
{{- $isMsk := eq (toString .Values.kafka.sasl.mechanism) "aws-msk-iam" }}
{{- $region := .Values.kafka.sasl.aws.region }}
{{- if and $isMsk (not $region) }}
kafka.sasl.aws.region is not set; kafka.sasl.mechanism: aws-msk-iam needs it
{{- end }}
{{- if and $isMsk (not .Values.kafka.tls.enabled) }}
kafka.tls.enabled is false, but kafka.sasl.mechanism: aws-msk-iam needs TLS; set kafka.tls.enabled to true
{{- end }}
{{- if and $region (not $isMsk) }}
kafka.sasl.aws is set, but kafka.sasl.mechanism is {{ squote .Values.kafka.sasl.mechanism }}; set it to 'aws-msk-iam'
{{- end }}
{{- end -}}
