{{/* More of _guards.tpl: additions to the pods. */}}
{{- define "gainstream.guards.additions" -}}
{{- $env := include "gainstream.env" . | fromYaml }}
{{- range include "gainstream.secretEnv" . | fromYamlArray }}
{{- $_ := set $env .name "" }}
{{- end }}
{{- include "gainstream.guards.variables" (list . "" .Values $env) }}
{{- include "gainstream.guards.volumes" (list . "" .Values (list "settings" "secrets") "^(/|/app|/etc/gainstream(/.*)?)/*$") }}
{{- include "gainstream.guards.containers" . }}
{{- with .Values.topics.job }}
{{- range $name := list "PARTITIONS" "REPLICATION_FACTOR" "SOURCE_RETENTION_MS" "LOG_DIR" }}
{{- $_ := set $env $name "" }}
{{- end }}
{{- include "gainstream.guards.variables" (list $ "topics.job." . $env) }}
{{- include "gainstream.guards.volumes" (list $ "topics.job." . (list "tmp" "secrets") "^(/|/tmp|/opt/kafka|/etc/gainstream(/.*)?)/*$") }}
{{- if and .enabled .serviceAccountName $.Values.serviceAccount.create | and (eq .serviceAccountName (include "gainstream.serviceAccountName" $)) }}
Cannot run the topics Job as {{ squote .serviceAccountName }}, because it runs before the chart creates that ServiceAccount; set another topics.job.serviceAccountName, or serviceAccount.create to false
{{- end }}
{{- end }}
{{- end -}}

{{/* (list . place values set): additions to the environment. `set` has the names that the chart sets. */}}
{{- define "gainstream.guards.variables" -}}
{{- $root := index . 0 }}
{{- $place := index . 1 }}
{{- $values := index . 2 }}
{{- $set := index . 3 }}
{{- $secrets := list "KAFKA_SASL_PASSWORD" "KAFKA_SASL_OAUTH_CLIENT_SECRET" "SCHEMA_REGISTRY_PASSWORD" "GAINSIGHT_ACCESS_KEY" }}
{{- $seen := dict }}
{{- range $values.extraEnv }}
{{- if has .name $secrets }}
Cannot set {{ .name }} by {{ $place }}extraEnv, because everyone who can read the pod could read the secret; set an existingSecret
{{- else if hasKey $set .name }}
Cannot set {{ .name }} by {{ $place }}extraEnv, because the chart sets it; use the chart's value for it
{{- else if hasKey $seen .name }}
Cannot set {{ .name }} by {{ $place }}extraEnv twice; use each name once
{{- end }}
{{- if hasKey . "value" | and (hasKey . "valueFrom") }}
Cannot set {{ .name }} by {{ $place }}extraEnv: value and valueFrom are both set; set only one
{{- end }}
{{- $_ := set $seen .name true }}
{{- end }}
{{- range $values.extraEnvFrom }}
{{- if hasKey . "configMapRef" | eq (hasKey . "secretRef") }}
Cannot use {{ $place }}extraEnvFrom: got {{ hasKey . "configMapRef" | ternary "configMapRef and secretRef" "neither configMapRef nor secretRef" }}, want one of them
{{- end }}
{{- end }}
{{- end -}}

{{/* (list . place values taken hidden): additional volumes and their mounts. `taken` has the names of the chart's volumes, and `hidden`
matches the paths that no mount may hide. */}}
{{- define "gainstream.guards.volumes" -}}
{{- $place := index . 1 }}
{{- $values := index . 2 }}
{{- $taken := index . 3 }}
{{- $hidden := index . 4 }}
{{- $volumes := $taken }}
{{- range $values.extraVolumes }}
{{- if has .name $taken }}
Cannot add {{ squote .name }} to {{ $place }}extraVolumes, because the chart has a volume of that name; choose another name
{{- else if has .name $volumes }}
Cannot add {{ squote .name }} to {{ $place }}extraVolumes twice; use each name once
{{- end }}
{{- $volumes = append $volumes .name }}
{{- end }}
{{- $paths := list }}
{{- range $values.extraVolumeMounts }}
{{- if not (has .name $volumes) }}
Cannot mount {{ squote .name }}: {{ $place }}extraVolumes has no such volume
{{- end }}
{{- if has .mountPath $paths }}
Cannot mount at {{ squote .mountPath }} twice; use each path once
{{- end }}
{{- $paths = append $paths .mountPath }}
{{- if regexMatch $hidden .mountPath }}
Cannot mount at {{ squote .mountPath }}, because that would hide files that {{ empty $place | ternary "the service" "the Job" }} needs; choose another path in {{ $place }}extraVolumeMounts
{{- end }}
{{- end }}
{{- end -}}

{{- define "gainstream.guards.containers" -}}
{{- $volumes := list "settings" "secrets" }}
{{- range .Values.extraVolumes }}
{{- $volumes = append $volumes .name }}
{{- end }}
{{- $names := list "gainstream" }}
{{- range $place := list "initContainers" "extraContainers" }}
{{- range $container := get $.Values $place | default list }}
{{- if eq .name "gainstream" }}
Cannot add 'gainstream' to {{ $place }}, because the service's container has that name; choose another name
{{- else if has .name $names }}
Cannot add {{ squote .name }} to initContainers and extraContainers twice; use each name once
{{- end }}
{{- $names = append $names .name }}
{{- range .volumeMounts }}
{{- if not (has .name $volumes) }}
Cannot mount {{ squote .name }} in {{ squote $container.name }} of {{ $place }}: extraVolumes has no such volume
{{- end }}
{{- end }}
{{- $stays := or (eq $place "extraContainers") (eq ($container.restartPolicy | default "") "Always") }}
{{- range .ports }}
{{- if $stays | and (eq (toString .containerPort) (toString $.Values.http.port)) }}
Cannot use port {{ .containerPort }} in {{ squote $container.name }} of {{ $place }}, because the service listens on it; choose another port, or another http.port
{{- else if $stays | and (eq (.name | default "") "http") }}
Cannot name a port 'http' in {{ squote $container.name }} of {{ $place }}, because the service's port has that name; choose another name
{{- end }}
{{- end }}
{{- if and $stays $.Values.autoscaling.enabled (eq $.Values.autoscaling.kind "hpa") (not (dig "resources" "requests" "cpu" "" $container)) }}
Cannot scale by CPU: {{ squote $container.name }} in {{ $place }} has no resources.requests.cpu, and the percentage applies to the whole pod
{{- end }}
{{- end }}
{{- end }}
{{- end -}}

{{- define "gainstream.guards.dns" -}}
{{- if eq (.Values.dnsPolicy | default "") "None" | and (empty (.Values.dnsConfig).nameservers) }}
dnsConfig.nameservers is not set; dnsPolicy: None needs at least one
{{- end }}
{{- end -}}
