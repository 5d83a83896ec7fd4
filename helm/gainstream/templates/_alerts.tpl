{{/*
The groups of alerts. `own` holds the matchers for the series of this release. Each alert is for the release, not for a replica, so a
fault of all replicas alerts once.
*/}}
{{- define "gainstream.alerts" -}}
{{- $own := include "gainstream.series" . -}}
{{- $rule := .Values.monitoring.prometheusRule -}}
{{- $sourceLag := printf "sum(gainstream_lag{%s, topic=~\"%s\"}" $own (include "gainstream.sourcePattern" .) -}}
{{- $held := include "gainstream.held" . -}}
{{- $ofTopic := printf "{{ with printf `max(gainstream_dead_letter_limit{%s, of=\"topic\", topic=%%q, reason=%%q, rule=%%q})` $labels.topic $labels.reason $labels.rule | query }}{{ . | first | value | printf \"%%.1f\" }}{{ end }}" $own -}}
{{- $finished := printf "gainstream_events_total{%s}" $own -}}
{{- $dead := printf "gainstream_events_total{%s, outcome=\"dead\"}" $own -}}
- name: {{ include "gainstream.fullname" . | quote }}
  rules:
    - alert: GainstreamHoldNeedsHands
      expr: max by (reason) (gainstream_hold{ {{- $own }}, reason=~"unauthorized|misconfigured"}) == 1
      for: 1m
      {{- include "gainstream.alert" (dict "root" . "severity" "critical" "summary" "The stream is on hold ({{ $labels.reason }}) until somebody acts" "description" "Events wait in Kafka and are safe as long as its retention lasts. unauthorized: put a valid access key into the Secret; misconfigured: correct gainsight.url.") | nindent 6 }}
    - alert: GainstreamDeadLetterLimit
      expr: max by (scope, topic, reason, rule) (gainstream_dead_letter_limit{ {{- $own }}, of="dead_letters"}) >= 0
      for: 1m
      {{- include "gainstream.alert" (dict "root" . "severity" "critical" "summary" "Too many dead letters: {{ $labels.reason }}{{ with $labels.rule }} ({{ . }}){{ end }} in {{ $labels.topic }}; {{ if eq $labels.scope `all` }}all events wait{{ else }}only these events wait{{ end }}" "description" (printf "{{ $value | printf \"%%.1f\" }} %% of the dead letters and %s %% of the topic's events have this cause. Tell the producer, and look at the newest dead letters; to continue, change settings.deadLetterLimit." $ofTopic)) | nindent 6 }}
    - alert: GainstreamHeld
      expr: max by (reason) (gainstream_hold{ {{- $own }}, reason=~"target_down|throttled|registry_down"}) == 1
      for: 10m
      {{- include "gainstream.alert" (dict "root" . "severity" "warning" "summary" "The stream has been on hold ({{ $labels.reason }}) for 10 minutes" "description" "It continues when Gainsight or the registry answers again. Events wait in Kafka and are safe as long as its retention lasts.") | nindent 6 }}
    - alert: GainstreamKafkaUnwritable
      expr: max(gainstream_hold{ {{- $own }}, reason="kafka_unwritable"}) == 1
      for: 5m
      {{- include "gainstream.alert" (dict "root" . "severity" "critical" "summary" "Kafka has refused writes to a retry topic or the dead-letter topic for 5 minutes" "description" "Users whose events must go there wait, and others continue. The log names the topic and the reason: create the topic, grant the right to write, or free disk space.") | nindent 6 }}
    - alert: GainstreamPaused
      expr: max(gainstream_hold{ {{- $own }}, reason="paused"}) == 1
      for: 1h
      {{- include "gainstream.alert" (dict "root" . "severity" "warning" "summary" "An operator paused the stream more than an hour ago" "description" "If that is a mistake, set settings.paused to false.") | nindent 6 }}
    - alert: GainstreamBreakerNotClosed
      expr: max(gainstream_breaker_state{ {{- $own -}} }) > 0
      for: 10m
      {{- include "gainstream.alert" (dict "root" . "severity" "warning" "summary" "The circuit breaker has not been closed for 10 minutes" "description" "Too many calls to Gainsight fail or time out. gainstream_calls_total shows the answers.") | nindent 6 }}
    - alert: GainstreamLagGrows
      expr: |
        {{ $sourceLag }}) > {{ int64 $rule.lagRecords }}
          and {{ $sourceLag }}) > {{ $sourceLag }} offset 15m)
          unless {{ $held }}
      for: 15m
      {{- include "gainstream.alert" (dict "root" . "severity" "warning" "summary" "The lag of the source topics grows without a hold" "description" "More events arrive than are delivered. Raise gainsight.concurrency if Gainsight allows it, or add replicas if there are more partitions.") | nindent 6 }}
    - alert: GainstreamNothingFinished
      expr: |
        {{ $sourceLag }}) > 0
          unless sum(increase({{ $finished }}[10m])) > 0
          unless {{ $held }}
      for: 10m
      {{- include "gainstream.alert" (dict "root" . "severity" "critical" "summary" "Records wait without a hold, and no event has finished for 10 minutes" "description" "/readyz and gainstream_partitions_waiting show the reason.") | nindent 6 }}
    - alert: GainstreamDeadLetters
      # increase() ignores the first value of a series.
      expr: |
        sum by (reason) (increase({{ $dead }}[10m])) > 0
          or sum by (reason) ({{ $dead }} unless {{ $dead }} offset 10m) > 0
      {{- include "gainstream.alert" (dict "root" . "severity" "warning" "summary" "Events became dead letters ({{ $labels.reason }})" "description" "The dead-letter topic keeps their bytes. The headers name the reason.") | nindent 6 }}
    - alert: GainstreamManyDeadLetters
      expr: |
        100 * sum(increase({{ $dead }}[10m]))
          / sum(increase({{ $finished }}[10m])) > {{ $rule.deadLetterPercent }}
      for: 5m
      {{- include "gainstream.alert" (dict "root" . "severity" "critical" "summary" "About {{ $value | printf \"%.0f\" }} % of all events become dead letters" "description" "A producer sends events that cannot be delivered, or Gainsight refuses events that it accepted before.") | nindent 6 }}
    - alert: GainstreamRetentionNearlyLost
      # More records waited at that time than have finished since, so some of them still wait.
      expr: |
        {{ $sourceLag }} offset {{ $rule.halfRetention }})
          > (sum(increase({{ $finished }}[{{ $rule.halfRetention }}])) or vector(0))
      for: 5m
      {{- include "gainstream.alert" (dict "root" . "severity" "critical" "summary" (printf "Records have waited for more than %s, and Kafka's retention will remove them" $rule.halfRetention) "description" "Lengthen the retention of the source topics, or end the hold.") | nindent 6 }}
    - alert: GainstreamUnreadable
      expr: max by (topic, partition) (gainstream_unreadable_offset{ {{- $own -}} }) >= 0
      for: 2m
      {{- include "gainstream.alert" (dict "root" . "severity" "critical" "summary" "Partition {{ $labels.partition }} of {{ $labels.topic }} waits at the unreadable offset {{ $value | printf \"%.0f\" }}" "description" "The batch is corrupt or has an unknown compression; other partitions continue. /readyz and the log name the cause, and the command that skips the batch and loses its records.") | nindent 6 }}
    - alert: GainstreamParkedUsersGrow
      expr: |
        sum(gainstream_parked_users{ {{- $own -}} }) > 100
          and sum(gainstream_parked_users{ {{- $own -}} }) > sum(gainstream_parked_users{ {{- $own -}} } offset 1h)
      for: 2h
      {{- include "gainstream.alert" (dict "root" . "severity" "warning" "summary" "More and more users wait in the retry topics" "description" "Gainsight keeps failing for some events. gainstream_retries_total shows the reasons.") | nindent 6 }}
    - alert: GainstreamCallsNearTimeout
      expr: |
        histogram_quantile(0.99, sum by (le) (rate(gainstream_delivery_seconds_bucket{ {{- $own -}} }[10m])))
          > {{ div (mul (include "gainstream.ms" .Values.gainsight.timeout | int64) 8) 10 }} / 1000
      for: 10m
      {{- include "gainstream.alert" (dict "root" . "severity" "warning" "summary" "1 % of the calls take nearly as long as gainsight.timeout" "description" "Gainsight is slow. Time-outs and a hold will follow.") | nindent 6 }}
    - alert: GainstreamSettingsWrong
      expr: min(gainstream_settings_ok{ {{- $own -}} }) == 0
      for: 5m
      {{- include "gainstream.alert" (dict "root" . "severity" "warning" "summary" "The settings file was rejected; the previous settings stay in effect" "description" "/api/status and the log list the mistakes. A restart would fail.") | nindent 6 }}
    - alert: GainstreamGone
      expr: absent(gainstream_settings_ok{ {{- $own -}} })
      for: 5m
      {{- include "gainstream.alert" (dict "root" . "severity" "critical" "summary" "No replica has been scraped for 5 minutes" "description" "If the pods end with exit code 78, the configuration is wrong, and the log lists the mistakes.") | nindent 6 }}
{{- end -}}

{{/* Labels and annotations of an alert. Prometheus evaluates the templates in summary and description. */}}
{{- define "gainstream.alert" -}}
labels:
  severity: {{ .severity }}
  release: {{ include "gainstream.fullname" .root | quote }}
annotations:
  summary: {{ .summary | quote }}
  description: {{ .description | quote }}
  {{- with .root.Values.monitoring.prometheusRule.runbookUrl }}
  runbook_url: {{ . | quote }}
  {{- end }}
{{- end -}}

{{/* The source topics as a PromQL pattern; [.] instead of a backslash, which would need another one. */}}
{{- define "gainstream.sourcePattern" -}}
{{- $topics := list -}}
{{- range include "gainstream.commas" .Values.topics.source | splitList "," -}}
{{- $topics = append $topics (trim . | replace "." "[.]") -}}
{{- end -}}
{{- join "|" $topics -}}
{{- end -}}
