{{/*
The groups of alerts. `own` are the matchers of this release's series. Each alert is of the release, not of a replica, so that a
fault of all replicas rings once.
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
      {{- include "gainstream.alert" (dict "root" . "severity" "critical" "summary" "The stream is held ({{ $labels.reason }}) until somebody acts" "description" "Nothing is lost as long as Kafka keeps it. unauthorized: put a valid access key into the Secret. misconfigured: mend gainsight.url.") | nindent 6 }}
    - alert: GainstreamDeadLetterLimit
      expr: max by (scope, topic, reason, rule) (gainstream_dead_letter_limit{ {{- $own }}, of="dead_letters"}) >= 0
      for: 1m
      {{- include "gainstream.alert" (dict "root" . "severity" "critical" "summary" "Too many dead letters: {{ $labels.reason }}{{ with $labels.rule }} ({{ . }}){{ end }} in {{ $labels.topic }}; {{ if eq $labels.scope `all` }}everything waits{{ else }}only those events wait{{ end }}" "description" (printf "{{ $value | printf \"%%.1f\" }} %% of the dead letters and %s %% of the topic's events. Nothing is lost as long as Kafka keeps it. Tell the producer and look at the newest dead letters; to let them go, change settings.deadLetterLimit. /readyz says the same in a sentence." $ofTopic)) | nindent 6 }}
    - alert: GainstreamHeld
      expr: max by (reason) (gainstream_hold{ {{- $own }}, reason=~"target_down|throttled|registry_down"}) == 1
      for: 10m
      {{- include "gainstream.alert" (dict "root" . "severity" "warning" "summary" "The stream is held ({{ $labels.reason }}) for more than 10 minutes" "description" "It goes on by itself once Gainsight or the registry answers again; nothing is lost as long as Kafka keeps it. Should they answer?") | nindent 6 }}
    - alert: GainstreamKafkaUnwritable
      expr: max(gainstream_hold{ {{- $own }}, reason="kafka_unwritable"}) == 1
      for: 5m
      {{- include "gainstream.alert" (dict "root" . "severity" "critical" "summary" "Kafka has refused writes to a retry topic or the dead-letter topic for 5 minutes" "description" "Users whose events have to go there wait; others are delivered, nothing is lost. The log names the topic and the reason: make the topic, grant the right to write, or free the disk. It ends by itself.") | nindent 6 }}
    - alert: GainstreamPaused
      expr: max(gainstream_hold{ {{- $own }}, reason="paused"}) == 1
      for: 1h
      {{- include "gainstream.alert" (dict "root" . "severity" "warning" "summary" "An operator paused the stream more than an hour ago" "description" "Set settings.paused to false where that was not meant to last.") | nindent 6 }}
    - alert: GainstreamBreakerNotClosed
      expr: max(gainstream_breaker_state{ {{- $own -}} }) > 0
      for: 10m
      {{- include "gainstream.alert" (dict "root" . "severity" "warning" "summary" "The breaker has not been closed for 10 minutes" "description" "Too many calls to Gainsight fail or take too long. See gainstream_calls_total for its answers.") | nindent 6 }}
    - alert: GainstreamLagGrows
      expr: |
        {{ $sourceLag }}) > {{ int64 $rule.lagRecords }}
          and {{ $sourceLag }}) > {{ $sourceLag }} offset 15m)
          unless {{ $held }}
      for: 15m
      {{- include "gainstream.alert" (dict "root" . "severity" "warning" "summary" "The lag of the source topics grows, and no hold is on" "description" "More arrives than is delivered. gainsight.concurrency, where Gainsight allows more; more replicas, where there are partitions for them.") | nindent 6 }}
    - alert: GainstreamNothingFinished
      expr: |
        {{ $sourceLag }}) > 0
          unless sum(increase({{ $finished }}[10m])) > 0
          unless {{ $held }}
      for: 10m
      {{- include "gainstream.alert" (dict "root" . "severity" "critical" "summary" "Records wait, no hold is on, and no event has been finished for 10 minutes" "description" "See /readyz and gainstream_partitions_waiting for what stands in the way.") | nindent 6 }}
    - alert: GainstreamDeadLetters
      # increase() misses what a series begins with.
      expr: |
        sum by (reason) (increase({{ $dead }}[10m])) > 0
          or sum by (reason) ({{ $dead }} unless {{ $dead }} offset 10m) > 0
      {{- include "gainstream.alert" (dict "root" . "severity" "warning" "summary" "Events became dead letters ({{ $labels.reason }})" "description" "They rest in the dead-letter topic with their bytes; their headers say why.") | nindent 6 }}
    - alert: GainstreamManyDeadLetters
      expr: |
        100 * sum(increase({{ $dead }}[10m]))
          / sum(increase({{ $finished }}[10m])) > {{ $rule.deadLetterPercent }}
      for: 5m
      {{- include "gainstream.alert" (dict "root" . "severity" "critical" "summary" "More than {{ $value | printf \"%.0f\" }} % of all events become dead letters" "description" "A producer sends what nobody can deliver, or Gainsight refuses what it took before.") | nindent 6 }}
    - alert: GainstreamRetentionNearlyLost
      # What waited already so long ago is more than what has been finished since: some of it still waits.
      expr: |
        {{ $sourceLag }} offset {{ $rule.halfRetention }})
          > (sum(increase({{ $finished }}[{{ $rule.halfRetention }}])) or vector(0))
      for: 5m
      {{- include "gainstream.alert" (dict "root" . "severity" "critical" "summary" (printf "Records have waited for more than %s: Kafka's retention will take them" $rule.halfRetention) "description" "Lengthen the retention of the source topics, or end the hold.") | nindent 6 }}
    - alert: GainstreamUnreadable
      expr: max by (topic, partition) (gainstream_unreadable_offset{ {{- $own -}} }) >= 0
      for: 2m
      {{- include "gainstream.alert" (dict "root" . "severity" "critical" "summary" "Partition {{ $labels.partition }} of {{ $labels.topic }} waits at offset {{ $value | printf \"%.0f\" }}, which cannot be read" "description" "The batch there is corrupt or compressed in an unknown way. Others are delivered. It reads on by itself if the broker is repaired or another replica leads. /readyz and the log name the cause and the command that skips the batch, whose records are lost then.") | nindent 6 }}
    - alert: GainstreamParkedUsersGrow
      expr: |
        sum(gainstream_parked_users{ {{- $own -}} }) > 100
          and sum(gainstream_parked_users{ {{- $own -}} }) > sum(gainstream_parked_users{ {{- $own -}} } offset 1h)
      for: 2h
      {{- include "gainstream.alert" (dict "root" . "severity" "warning" "summary" "More and more users wait in the retry tiers" "description" "Gainsight fails for some events again and again; see gainstream_retries_total by reason.") | nindent 6 }}
    - alert: GainstreamCallsNearTimeout
      expr: |
        histogram_quantile(0.99, sum by (le) (rate(gainstream_delivery_seconds_bucket{ {{- $own -}} }[10m])))
          > {{ div (mul (include "gainstream.ms" .Values.gainsight.timeout | int64) 8) 10 }} / 1000
      for: 10m
      {{- include "gainstream.alert" (dict "root" . "severity" "warning" "summary" "One call of a hundred takes nearly as long as gainsight.timeout" "description" "Gainsight is slow; time-outs and a hold will follow.") | nindent 6 }}
    - alert: GainstreamSettingsWrong
      expr: min(gainstream_settings_ok{ {{- $own -}} }) == 0
      for: 5m
      {{- include "gainstream.alert" (dict "root" . "severity" "warning" "summary" "A change of the settings is wrong and not in force" "description" "/api/status and the log say what is wrong. A restart with it would fail.") | nindent 6 }}
    - alert: GainstreamGone
      expr: absent(gainstream_settings_ok{ {{- $own -}} })
      for: 5m
      {{- include "gainstream.alert" (dict "root" . "severity" "critical" "summary" "No replica has been scraped for 5 minutes" "description" "Exit code 78: the configuration is wrong, and the log says what.") | nindent 6 }}
{{- end -}}

{{/* Severity, words and the runbook of an alert: summary and description go to Prometheus, which fills in its own braces. */}}
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

{{/* The source topics as a pattern of PromQL, where a backslash is written as two. */}}
{{- define "gainstream.sourcePattern" -}}
{{- $topics := list -}}
{{- range include "gainstream.commas" .Values.topics.source | splitList "," -}}
{{- $topics = append $topics (trim . | replace "." "[.]") -}}
{{- end -}}
{{- join "|" $topics -}}
{{- end -}}
