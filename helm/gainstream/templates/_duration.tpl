{{/* The milliseconds of a duration such as 500ms, 30s or 1h30m; empty if the text is no duration. */}}
{{- define "gainstream.ms" -}}
{{- $text := toString . | lower -}}
{{- if regexMatch "^([0-9]{1,9}d)?([0-9]{1,9}h)?([0-9]{1,9}m)?([0-9]{1,9}s)?([0-9]{1,9}ms)?$" $text | and $text -}}
{{- $units := dict "d" 86400000 "h" 3600000 "m" 60000 "s" 1000 "ms" 1 -}}
{{- $sum := 0 -}}
{{- range regexFindAll "[0-9]+(ms|[dhms])" $text -1 -}}
{{- $sum = add $sum (mul (regexFind "^[0-9]+" . | int64) (get $units (regexFind "[a-z]+$" .))) -}}
{{- end -}}
{{- $sum -}}
{{- end -}}
{{- end -}}
