{{/* More of _guards.tpl: what a user adds to the pods. */}}
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
Cannot make topics as {{ squote .serviceAccountName }}: the Job runs before the chart's own ServiceAccount is there, want another topics.job.serviceAccountName, or serviceAccount.create: false
{{- end }}
{{- end }}
{{- end -}}

{{/* (list . place values set): what is added to the environment, where `set` has the names that the chart sets. */}}
{{- define "gainstream.guards.variables" -}}
{{- $root := index . 0 }}
{{- $place := index . 1 }}
{{- $values := index . 2 }}
{{- $set := index . 3 }}
{{- $secrets := list "KAFKA_SASL_PASSWORD" "KAFKA_SASL_OAUTH_CLIENT_SECRET" "SCHEMA_REGISTRY_PASSWORD" "GAINSIGHT_ACCESS_KEY" }}
{{- $seen := dict }}
{{- range $values.extraEnv }}
{{- if has .name $secrets }}
Cannot take {{ .name }} by {{ $place }}extraEnv: a secret in the environment is seen by everybody who may look at the pod, want an existingSecret, which is mounted as a file
{{- else if hasKey $set .name }}
Cannot take {{ .name }} by {{ $place }}extraEnv: the chart sets it, want its value among the chart's values
{{- else if hasKey $seen .name }}
Cannot take {{ .name }} by {{ $place }}extraEnv twice: want each name once
{{- end }}
{{- if hasKey . "value" | and (hasKey . "valueFrom") }}
Cannot take {{ .name }} by {{ $place }}extraEnv: got value and valueFrom, want one of them
{{- end }}
{{- $_ := set $seen .name true }}
{{- end }}
{{- range $values.extraEnvFrom }}
{{- if hasKey . "configMapRef" | eq (hasKey . "secretRef") }}
Cannot take an environment by {{ $place }}extraEnvFrom: got {{ hasKey . "configMapRef" | ternary "configMapRef and secretRef" "neither configMapRef nor secretRef" }}, want one of them
{{- end }}
{{- end }}
{{- end -}}

{{/* (list . place values taken hidden): the volumes that are added and their mounts, where `taken` are the chart's volumes and `hidden`
matches the paths that must stay. */}}
{{- define "gainstream.guards.volumes" -}}
{{- $place := index . 1 }}
{{- $values := index . 2 }}
{{- $taken := index . 3 }}
{{- $hidden := index . 4 }}
{{- $volumes := $taken }}
{{- range $values.extraVolumes }}
{{- if has .name $taken }}
Cannot take {{ squote .name }} among {{ $place }}extraVolumes: the chart has a volume of that name, want another
{{- else if has .name $volumes }}
Cannot take {{ squote .name }} among {{ $place }}extraVolumes twice: want each name once
{{- end }}
{{- $volumes = append $volumes .name }}
{{- end }}
{{- $paths := list }}
{{- range $values.extraVolumeMounts }}
{{- if not (has .name $volumes) }}
Cannot mount {{ squote .name }}: got no such volume, want its name among {{ $place }}extraVolumes
{{- end }}
{{- if has .mountPath $paths }}
Cannot mount at {{ squote .mountPath }} twice: want each path once
{{- end }}
{{- $paths = append $paths .mountPath }}
{{- if regexMatch $hidden .mountPath }}
Cannot mount at {{ squote .mountPath }}: it would hide what {{ empty $place | ternary "the service" "the Job" }} needs, want another {{ $place }}extraVolumeMounts path
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
Cannot take 'gainstream' among {{ $place }}: the service's container has that name, want another
{{- else if has .name $names }}
Cannot take {{ squote .name }} among initContainers and extraContainers twice: want each name once
{{- end }}
{{- $names = append $names .name }}
{{- range .volumeMounts }}
{{- if not (has .name $volumes) }}
Cannot mount {{ squote .name }} in {{ squote $container.name }} of {{ $place }}: got no such volume, want its name among extraVolumes
{{- end }}
{{- end }}
{{- $stays := or (eq $place "extraContainers") (eq ($container.restartPolicy | default "") "Always") }}
{{- range .ports }}
{{- if $stays | and (eq (toString .containerPort) (toString $.Values.http.port)) }}
Cannot use the port {{ .containerPort }} in {{ squote $container.name }} of {{ $place }}: the service listens there, want another, or another http.port
{{- else if $stays | and (eq (.name | default "") "http") }}
Cannot name a port 'http' in {{ squote $container.name }} of {{ $place }}: the service's port has that name, want another
{{- end }}
{{- end }}
{{- if and $stays $.Values.autoscaling.enabled (eq $.Values.autoscaling.kind "hpa") (not (dig "resources" "requests" "cpu" "" $container)) }}
Cannot scale by CPU: got no resources.requests.cpu of {{ squote $container.name }} in {{ $place }}, want one: the percentage is of the whole pod's
{{- end }}
{{- end }}
{{- end }}
{{- end -}}

{{- define "gainstream.guards.dns" -}}
{{- if eq (.Values.dnsPolicy | default "") "None" | and (empty (.Values.dnsConfig).nameservers) }}
Cannot find any host: got dnsPolicy: None without dnsConfig.nameservers, want at least one
{{- end }}
{{- end -}}
